package bot

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rolecall/lifecycle"
)

// quickSlack answers at once, and notes what was said, where and when.
type quickSlack struct {
	mu     sync.Mutex
	posts  map[string][]time.Time // by the key of the message
	places map[string][]time.Time // by channel
	edits  map[string]time.Time   // by channel and ts, the last
	said   int
}

func newQuickSlack() *quickSlack {
	return &quickSlack{posts: map[string][]time.Time{}, places: map[string][]time.Time{}, edits: map[string]time.Time{}}
}

func (q *quickSlack) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := req.ParseForm(); err != nil {
		return nil, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	f, body := req.PostForm, ""
	switch req.URL.Path[strings.LastIndexByte(req.URL.Path, '/')+1:] {
	case "auth.test":
		body = `{"ok":true,"team_id":"T0","user_id":"U0BOT"}`
	case "users.lookupByEmail":
		body = fmt.Sprintf(`{"ok":true,"user":{"id":"U0%s"}}`, strings.ToUpper(strings.TrimSuffix(f.Get("email"), "@acme.test")))
	case "users.info":
		id := f.Get("user")
		body = fmt.Sprintf(`{"ok":true,"user":{"id":%q,"team_id":"T0","profile":{"email":"%s@acme.test"}}}`, id, strings.ToLower(strings.TrimPrefix(id, "U0")))
	case "conversations.open":
		body = fmt.Sprintf(`{"ok":true,"channel":{"id":"D%s"}}`, f.Get("users"))
	case "conversations.history", "conversations.replies":
		body = `{"ok":true,"messages":[]}`
	case "chat.postMessage":
		body = q.post(f.Get("channel"), f.Get("metadata"))
	case "chat.update":
		q.edits[f.Get("channel")+f.Get("ts")] = time.Now()
		body = `{"ok":true}`
	default:
		body = `{"ok":true,"view":{}}`
	}
	return answer(200, body)()
}

func (q *quickSlack) post(channel, metadata string) string {
	var m struct {
		Payload map[string]string `json:"event_payload"`
	}
	if err := json.Unmarshal([]byte(metadata), &m); err != nil {
		return `{"ok":false,"error":"invalid_metadata_format"}`
	}
	q.said++
	q.posts[m.Payload[MetadataKey]] = append(q.posts[m.Payload[MetadataKey]], time.Now())
	q.places[channel] = append(q.places[channel], time.Now())
	return fmt.Sprintf(`{"ok":true,"channel":%q,"ts":"%d.000001"}`, channel, q.said)
}

// bulk is a bot, and the queue that works for it as the real one does.
type bulk struct {
	t     *testing.T
	slack *quickSlack
	store *ledger
	bot   *Bot
	mu    sync.Mutex
	queue []lifecycle.RequestID
	left  int
}

func newBulk(t *testing.T) *bulk {
	b := &bulk{t: t, slack: newQuickSlack(), store: newLedger()}
	cfg := Config{
		Secrets: Secrets{BotToken: "xoxb-1", SigningSecret: "s"}, Client: &http.Client{Transport: b.slack, Timeout: time.Minute},
		Policies: b.store, Tallies: b.store, Store: b.store, Matcher: asker{l: b.store}, Brakes: stopper{l: b.store}, Sources: starter{}, Absences: nobodyAway{}, Groups: noGroups{}, Reviews: &Reviewer{}, Planner: &lifecycle.Planner{}, RollCall: func(context.Context, lifecycle.Actor) error { return nil },
		Mode: lifecycle.Enforce, Location: time.UTC, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	}
	cfg.Approvals = lifecycle.NewApprovals(b.store, b.store, time.Now)
	cfg.Directory = lifecycle.NewDirectory(b.store, b.store, time.Now)
	cfg.Desk = lifecycle.NewDesk(b.store, cfg.Approvals, b.store, time.Now)
	cfg.Digests = lifecycle.NewDigests(b.store, cfg.Desk, cfg.Directory, b.store, everyDay{}, time.Now)
	var err error
	if b.bot, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bulk) next() (lifecycle.RequestID, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.queue) == 0 {
		return "", b.left > 0
	}
	id := b.queue[0]
	b.queue = b.queue[1:]
	return id, true
}

func (b *bulk) enqueue(id lifecycle.RequestID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.queue = append(b.queue, id)
}

// work shows whatever is queued, with thirty seconds for each try, until all is shown.
func (b *bulk) work() {
	show := b.bot.Handlers()[lifecycle.JobShow]
	for {
		id, more := b.next()
		if !more {
			return
		}
		if id == "" {
			time.Sleep(100 * time.Millisecond)
			continue
		}
		ctx, cancel := context.WithTimeout(b.t.Context(), 30*time.Second)
		err := show(ctx, lifecycle.Attempt{Ref: string(id)})
		cancel()
		if err == nil {
			b.mu.Lock()
			b.left--
			b.mu.Unlock()
			continue
		}
		wait := time.Second
		if job, ok := asJobError(err); ok {
			wait = job.RetryAfter
		}
		time.AfterFunc(wait, func() { b.enqueue(id) })
	}
}

func TestFiveHundredFindingsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const many = 500
		b := newBulk(t)
		for i := range many {
			r := with(finding(), func(r *lifecycle.Request) {
				r.ID, r.From = lifecycle.RequestID(fmt.Sprint("req_", i)), []lifecycle.ApproverSource{lifecycle.FromTeamOwners}
				r.OpenedAt, r.DecideBy = time.Now(), time.Now().Add(72*time.Hour)
			})
			b.store.put(r)
			b.enqueue(r.ID)
		}
		b.left = many + 1 // and one after the press
		var working sync.WaitGroup
		for range 4 {
			working.Go(b.work)
		}
		time.Sleep(time.Minute)
		b.pressFirst(t)
		working.Wait()
		b.check(t, many)
	})
}

// pressFirst decides on the first card while the others are still on their way.
func (b *bulk) pressFirst(t *testing.T) {
	card, err := b.store.Message(t.Context(), "card/req_0/C0PAYMENTS")
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	in := interaction{Type: typePress, User: slackRef{ID: "U0MARCO"}, Container: container{ChannelID: card.Channel, MessageTS: card.TS}}
	if err := b.bot.press(t.Context(), in, action{ActionID: ActionRevoke, Value: "req_0:1"}); err != nil {
		t.Fatal(err)
	}
	b.enqueue("req_0")
	time.Sleep(5 * time.Second)
	b.slack.mu.Lock()
	defer b.slack.mu.Unlock()
	if _, ok := b.slack.edits[card.Channel+card.TS]; !ok {
		t.Errorf("the card that was pressed stands as it was after %s", time.Since(start))
	}
}

func (b *bulk) check(t *testing.T, many int) {
	if want := 3*many + 1; len(b.slack.posts) != want {
		t.Errorf("%d messages were said, want a card and two copies of each, and a note: %d", len(b.slack.posts), want)
	}
	for key, at := range b.slack.posts {
		if len(at) != 1 {
			t.Errorf("%s was said %d times", key, len(at))
		}
	}
	for channel, at := range b.slack.places {
		slices.SortFunc(at, time.Time.Compare)
		for i := 13; i < len(at); i++ {
			if at[i].Sub(at[i-13]) < 10*time.Second {
				t.Fatalf("%s got 14 messages within %s", channel, at[i].Sub(at[i-13]))
			}
		}
	}
}
