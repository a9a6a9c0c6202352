package okta

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"rolecall/lifecycle"
	"rolecall/lifecycle/intake"
)

const (
	pageSize  = 100              // events: a page is taken in whole, and may need as many users read
	mostPages = 20               // of one run
	runFor    = 20 * time.Second // a run that takes longer goes on in the next
	skew      = 5 * time.Minute  // how far Okta's clock may be ahead of ours, as for every source
)

// ResyncConfig is what a Resync works with. All of it is needed but Groups and
// Lookback.
type ResyncConfig struct {
	Inbox    *lifecycle.Inbox
	Sources  intake.Sources
	Cursors  lifecycle.CursorStore
	URL      string                 // of the org, such as https://acme.okta.com
	Token    func() (string, error) // an API token that may read; asked before every call
	Client   *http.Client           // its redirects are not followed; 10 s for a call unless it says otherwise
	Groups   bool                   // whether groups are read as well: a call more for everybody
	Lookback time.Duration          // what the first run reads; a day when 0. Okta keeps 90 days
	Now      func() time.Time
	Log      *slog.Logger
}

// A Resync reads from Okta what its hook has lost, and the values that the hook
// does not carry.
type Resync struct {
	config ResyncConfig
	client *client

	mu   sync.Mutex           // of one run after another
	done map[string]time.Time // events that were taken in, by uuid, to when they were published
	told bool                 // security knows that the token is refused
}

// NewResync returns a resync, or every mistake in c at once.
func NewResync(c ResyncConfig) (*Resync, error) {
	var wrong []error
	base, err := parseBase(c.URL)
	wrong = append(wrong, err)
	missing := func(is bool, what string) {
		if is {
			wrong = append(wrong, errors.New("no "+what))
		}
	}
	missing(c.Inbox == nil, "inbox")
	missing(c.Sources == nil, "sources")
	missing(c.Cursors == nil, "cursors")
	missing(c.Token == nil, "token")
	missing(c.Client == nil, "client")
	missing(c.Now == nil, "clock")
	missing(c.Log == nil, "log")
	if c.Lookback < 0 {
		wrong = append(wrong, errors.New("the first run looks into the future"))
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, fmt.Errorf("set up the reading of Okta's log: %w", err)
	}
	if c.Lookback == 0 {
		c.Lookback = 24 * time.Hour
	}
	return &Resync{
		config: c, client: &client{base: base, token: c.Token, http: withoutRedirects(c.Client), now: c.Now}, done: map[string]time.Time{},
	}, nil
}

// errMore says that there is more of the log than one run reads.
var errMore = errors.New("there is more of Okta's log")

// Run reads the log from where the last run ended. It may be repeated, and two
// at once change nothing twice. A rate limit, and a log that is longer than one
// run reads, are a JobError that says when to go on; every other error leaves
// what is not read to the next run.
func (r *Resync) Run(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	at, err := r.cursor(ctx)
	if err != nil {
		return err
	}
	r.forget(at.Published)
	err = r.read(ctx, at)
	if isStatus(err, http.StatusUnauthorized, http.StatusForbidden) {
		return errors.Join(err, r.tell(ctx, err))
	}
	if err == nil {
		r.told = false
	}
	return err
}

// read reads page after page, and keeps how far it has come after each.
func (r *Resync) read(ctx context.Context, at cursor) error {
	page, err := r.begin(at)
	if err != nil {
		return err
	}
	until := r.config.Now().Add(runFor)
	for n := 0; page != nil; n++ {
		if n == mostPages || r.config.Now().After(until) {
			return lifecycle.WaitFor("there is more of Okta's log to read", errMore, shortestWait)
		}
		if at, page, err = r.readPage(ctx, at, page); err != nil {
			return err
		}
	}
	if _, err := r.config.Sources.Hear(ctx, Source, false); err != nil {
		r.config.Log.ErrorContext(ctx, "note that Okta was heard", slog.Any("err", err))
	}
	return nil
}

// readPage takes a page in, and returns how far that is and the page that
// follows. A poll has a next page for ever: an empty one is the end, and returns nil.
func (r *Resync) readPage(ctx context.Context, at cursor, page *url.URL) (cursor, *url.URL, error) {
	answer, err := r.client.get(ctx, page)
	if at.Next != "" && isStatus(err, http.StatusBadRequest, http.StatusNotFound, http.StatusGone) {
		at.Next = "" // Okta has forgotten it
		return at, nil, errors.Join(err, r.saveCursor(ctx, at))
	}
	if err != nil {
		return at, nil, err
	}
	var events []json.RawMessage
	if err := json.Unmarshal(answer.body, &events); err != nil {
		return at, nil, fmt.Errorf("GET %s: %w", page.Path, err)
	}
	if at, err = r.take(ctx, at, events); err != nil {
		return at, nil, err
	}
	if len(events) == 0 {
		answer.next = nil
	}
	at.Next = ""
	if answer.next != nil {
		at.Next = answer.next.RequestURI()
	}
	return at, answer.next, r.saveCursor(ctx, at)
}

// begin returns the page to begin with: where the last run broke off, or all that
// was published since shortly before the newest event that is known.
func (r *Resync) begin(at cursor) (*url.URL, error) {
	logs := r.client.base.JoinPath("api", "v1", "logs")
	if at.Next != "" {
		u, err := logs.Parse(at.Next)
		if err != nil {
			return nil, fmt.Errorf("read where Okta's log goes on: %w", err)
		}
		return r.client.sameCall(logs.Path, u.String())
	}
	var filter []string
	for _, t := range EventTypes() {
		filter = append(filter, `eventType eq "`+t+`"`)
	}
	logs.RawQuery = url.Values{
		"since": {at.Published.Add(-overlap).UTC().Format("2006-01-02T15:04:05.000Z")}, "filter": {strings.Join(filter, " or ")},
		"sortOrder": {"ASCENDING"}, "limit": {strconv.Itoa(pageSize)},
	}.Encode()
	return logs, nil
}

// forget drops what is too old to come again.
func (r *Resync) forget(published time.Time) {
	for uuid, t := range r.done {
		if t.Before(published.Add(-overlap)) {
			delete(r.done, uuid)
		}
	}
}

// tell tells security once that Okta cannot be read: nobody would miss it.
func (r *Resync) tell(ctx context.Context, why error) error {
	if r.told {
		return nil
	}
	const sentence = "Okta does not let its log be read. What its event hook loses is not known until the API token is good again."
	err := r.config.Inbox.Heard(ctx, Source, why.Error(), lifecycle.Job{Kind: lifecycle.JobAlert, Ref: sentence})
	r.told = err == nil
	return err
}
