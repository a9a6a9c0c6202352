package lifecycle

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// A batch gathers one transaction: resources, what they say of people, and the
// lines and the jobs of both.
type batch struct {
	Provision
	flow    *Provisioning
	order   ResourceOrder
	at      time.Time
	labels  map[string]string // group id → displayName, as it is read
	unheard int               // users of whom nothing can be said for want of an address
}

func (p *Provisioning) batch(o ResourceOrder) *batch {
	return &batch{
		Provision: Provision{Client: o.Client, Join: map[string][]string{}, Leave: map[string][]string{}},
		flow:      p, order: o, at: p.now(), labels: map[string]string{},
	}
}

// put adds the next version of a user, and a fact when it says something new.
func (b *batch) put(u Resource, who profile, groups []string) (Resource, error) {
	u = u.next(b.at)
	person, kind := who.person(groups), FactState
	if len(person.Emails) == 0 {
		b.unheard++
		person, kind = Person{EmployeeID: person.EmployeeID, Status: person.Status}, FactStatus
	}
	said, err := digestOf(kind, person)
	if err != nil {
		return u, err
	}
	if said != u.Said && (kind == FactState || u.Said != "") {
		u.Said = said
		b.tell(u, kind, person)
	}
	b.Put = append(b.Put, u)
	return u, nil
}

// end says of a user who is deleted that they have ended, if anything was ever said of them.
func (b *batch) end(u Resource) error {
	if u.Said == "" {
		return nil
	}
	who, err := readProfile(u.Body)
	if err != nil {
		return err
	}
	person, kind := who.person(nil), FactState
	if len(person.Emails) == 0 {
		person, kind = Person{EmployeeID: person.EmployeeID}, FactStatus
	}
	person.Status = StatusEnded
	u = u.next(b.at)
	b.tell(u, kind, person)
	return nil
}

// tell adds the fact that a version of a user is, its line and its job.
func (b *batch) tell(u Resource, kind FactKind, person Person) {
	f := Fact{
		ID: NewNoticeID(), Source: u.Client, EventID: eventID(u), Kind: kind, Key: u.ID, Person: person, Piecemeal: true,
		Version: strconv.Itoa(u.Version), ObservedAt: u.Modified, ReceivedAt: b.at, SHA256: b.order.SHA256,
	}
	b.Facts = append(b.Facts, f)
	b.Lines = append(b.Lines, AuditEvent{At: b.at, Actor: BySource(f.Source), Kind: EventNoticeReceived, Ref: string(f.ID), Detail: map[string]string{
		"event": f.EventID, "employee": person.EmployeeID, "status": string(person.Status), "sha256": f.SHA256,
	}})
	b.Next = append(b.Next, Job{Kind: JobRegister, Ref: string(f.ID)})
}

// save stores the batch. It returns errOvertaken when somebody else was first,
// and a Refusal when the name is taken.
func (b *batch) save(ctx context.Context, r Resource, what string) error {
	b.Client, b.Summary = r.Client, b.line(r, what)
	err := b.flow.store.Provision(ctx, b.Provision)
	switch {
	case errors.Is(err, ErrDuplicate):
		field := "userName"
		if r.Kind == ResourceGroup {
			field = "displayName"
		}
		return Refuse(ErrDuplicate, "%s %q is taken by another %s of yours; look for it, and change that one", field, r.Name, r.Kind)
	case errors.Is(err, ErrConflict), errors.Is(err, ErrNotFound): // a version that has moved, or a user who is gone since
		return fmt.Errorf("provision %s %s: %w: %w", r.Kind, r.ID, errOvertaken, err)
	case err != nil:
		return fmt.Errorf("provision %s %s: %w", r.Kind, r.ID, err)
	}
	return nil
}

func (b *batch) line(r Resource, what string) AuditEvent {
	e := AuditEvent{At: b.at, Actor: BySource(r.Client), Kind: EventResourceChanged, Ref: r.ID, Detail: map[string]string{
		"did": what, "kind": string(r.Kind), "name": r.Name, "version": strconv.Itoa(r.Version), "facts": strconv.Itoa(len(b.Facts)),
	}}
	for name, value := range map[string]string{
		"sha256": b.order.SHA256, "without": b.order.Without, "joined": count(b.Join[r.ID]), "left": count(b.Leave[r.ID]),
	} {
		if value != "" {
			e.Detail[name] = value
		}
	}
	if b.unheard > 0 {
		e.Detail["unheard"] = fmt.Sprintf("%d without an address that mail reaches: nothing but their status is heard, and that only once they were known", b.unheard)
	}
	return e
}

func count(of []string) string {
	if len(of) == 0 {
		return ""
	}
	return strconv.Itoa(len(of))
}

// membership is which groups a user is in: id → displayName.
type membership map[string]string

func (m membership) names() []string {
	var list []string
	for _, name := range m {
		list = append(list, name)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// groupsOf returns the groups that have the user.
func (b *batch) groupsOf(ctx context.Context, client, user string) (membership, error) {
	in := membership{}
	for {
		page, total, err := b.flow.store.Resources(ctx, ResourceFilter{Client: client, Kind: ResourceGroup, Member: user}, len(in), atOnce)
		if err != nil {
			return nil, fmt.Errorf("list the groups of %s: %w", user, err)
		}
		for _, g := range page {
			if in[g.ID], err = b.label(g); err != nil {
				return nil, err
			}
		}
		if len(page) == 0 || len(in) >= total {
			return in, nil
		}
	}
}

func (b *batch) label(g Resource) (string, error) {
	version := eventID(g)
	if name, ok := b.labels[version]; ok {
		return name, nil
	}
	what, err := readProfile(g.Body)
	if err != nil {
		return "", err
	}
	b.labels[version] = what.DisplayName
	return what.DisplayName, nil
}

func digestOf(kind FactKind, person Person) (string, error) {
	text, err := json.Marshal(struct {
		Kind   FactKind
		Person Person
	}{kind, person})
	if err != nil {
		return "", fmt.Errorf("digest what is said of %s: %w", person.Label(), err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16]), nil
}
