package lifecycle

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
)

const (
	knownAtOnce   = 1000 // identities in one page
	receiveAtOnce = 32   // facts on their way to the store, which commits together what comes together
)

// said is what a source has said last of one key, and whether the file has it.
type said struct {
	digest [32]byte
	again  bool // it counts as absent, or as disabled: the same words are news
	seen   bool
}

// known returns what the source has said last, by key. Of 100,000 people that is
// a few megabytes, where they themselves would be a hundred.
func (s *Snapshots) known(ctx context.Context, source string) (map[string]*said, error) {
	known := map[string]*said{}
	err := s.each(ctx, source, func(key string, i Identity) error {
		was := i.Says[source]
		digest, err := was.Person.digest()
		known[key] = &said{digest: digest, again: was.Absent() > 0 || was.Status.Fact != was.Fact}
		return err
	})
	return known, err
}

// each gives everybody whom the source knows, by its keys in order.
func (s *Snapshots) each(ctx context.Context, source string, f func(key string, i Identity) error) error {
	for after := ""; ; {
		page, err := s.store.KnownBy(ctx, source, after, knownAtOnce)
		if err != nil {
			return fmt.Errorf("list whom %s knows: %w", source, err)
		}
		for _, i := range page {
			after = i.Keys[source]
			if err := f(after, i); err != nil {
				return err
			}
		}
		if len(page) < knownAtOnce {
			return nil
		}
	}
}

// receive keeps every row that says something new, and returns how many did.
func (s *Snapshots) receive(ctx context.Context, r Roster, known map[string]*said) (int, error) {
	d := s.deliver(ctx)
	changed := 0
	for f, err := range r.Facts {
		if err != nil {
			return changed, errors.Join(fmt.Errorf("read the snapshot of %s: %w", r.Source, err), d.wait())
		}
		f.Source = r.Source
		news, err := f.news(known)
		if err != nil {
			return changed, errors.Join(err, d.wait())
		}
		if !news {
			continue
		}
		changed++
		if !d.send(r.fact(f)) {
			break
		}
	}
	return changed, d.wait()
}

// news reports whether the row says something that its source has not said last,
// and notes that it was seen.
func (f Fact) news(known map[string]*said) (bool, error) {
	key := f.SourceKey()
	digest, err := f.Person.digest()
	was, there := known[key]
	switch {
	case err != nil:
		return false, err
	case !there:
		known[key] = &said{seen: true}
		return true, nil
	case was.seen:
		return false, Refuse(ErrInvalid, "the snapshot has %s twice", key)
	default:
		was.seen = true
		return was.again || was.digest != digest, nil
	}
}

// fact returns the row's fact as the snapshot says it. The same file taken in
// again after the same one is the same event; after another it says something
// else, for who has moved back says so in the words of before.
func (r Roster) fact(f Fact) Fact {
	if f.EventID == "" {
		f.EventID = r.event(f.SourceKey())
	}
	if f.ObservedAt.IsZero() {
		f.ObservedAt = r.At
	}
	if f.SHA256 == "" {
		f.SHA256 = r.SHA256
	}
	return f
}

func (r Roster) event(what string) string {
	return r.SHA256 + "/" + strconv.FormatInt(r.last.UnixMicro(), 36) + "/" + what
}

// absent keeps, of everybody of the source who is not in the snapshot and has not
// ended, that they are not. How often does no more harm once a person is asked.
func (s *Snapshots) absent(ctx context.Context, r Roster, known map[string]*said) (int, error) {
	var missing []string
	for key, k := range known {
		if !k.seen {
			missing = append(missing, key)
		}
	}
	slices.Sort(missing)
	d, absent := s.deliver(ctx), 0
	for _, key := range missing {
		i, err := s.store.IdentityByKey(ctx, r.Source, key)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return absent, errors.Join(fmt.Errorf("look up whom %s knows as %s: %w", r.Source, key, err), d.wait())
		}
		was := i.Says[r.Source]
		if err != nil || i.Keys[r.Source] != key || i.StatusAt(s.now()) == StatusEnded || was.Status.Status == StatusEnded {
			continue // somebody else's by now, or over
		}
		absent++
		if was.Absent() >= askAbsent {
			continue
		}
		f := Fact{Source: r.Source, Kind: FactAbsent, Key: key, Person: was.Person, EventID: r.event("absent/" + key)}
		if !d.send(r.fact(f)) {
			break
		}
	}
	return absent, d.wait()
}

// askAbsent is after how many snapshots without them it is asked whether somebody has left.
const askAbsent = 2

// deliver returns what hands facts to the inbox, many at once, because the store
// commits together what comes together.
func (s *Snapshots) deliver(ctx context.Context) *delivery {
	d := &delivery{facts: make(chan Fact), done: make(chan struct{})}
	for range receiveAtOnce {
		d.carriers.Go(func() {
			for f := range d.facts {
				if _, _, err := s.inbox.Receive(ctx, f); err != nil {
					d.fail(fmt.Errorf("take in %s of the snapshot: %w", f.SourceKey(), err))
					return
				}
			}
		})
	}
	return d
}

// A delivery is facts on their way. The first that fails ends it.
type delivery struct {
	facts    chan Fact
	done     chan struct{} // closed by the first failure
	carriers sync.WaitGroup
	once     sync.Once
	err      error
}

func (d *delivery) fail(err error) {
	d.once.Do(func() {
		d.err = err
		close(d.done)
	})
}

// send hands the fact over, and reports false once one has failed.
func (d *delivery) send(f Fact) bool {
	select {
	case d.facts <- f:
		return true
	case <-d.done:
		return false
	}
}

// wait returns when all that was sent is kept, or the first failure.
func (d *delivery) wait() error {
	close(d.facts)
	d.carriers.Wait()
	return d.err
}

// digest returns what tells whether two words about somebody are the same.
func (p Person) digest() ([32]byte, error) {
	body, err := json.Marshal(p)
	return sha256.Sum256(body), wrap("digest a person", err)
}
