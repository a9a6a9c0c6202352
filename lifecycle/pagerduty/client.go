package pagerduty

import (
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"rolecall/lifecycle"
)

// A Client is one PagerDuty account. It may be used from any goroutine.
type Client struct {
	cfg    Config
	prompt api // for what somebody waits for
	sweep  api // for reading everything, which leaves the prompt calls their share of the limit
	oauth  *oauthCredential
	marks  *marks
	absent absence // of analytics
	turns  *turns
	memo   memo
	log    *slog.Logger
	now    func() time.Time
}

var (
	_ lifecycle.Platform    = (*Client)(nil)
	_ lifecycle.Snapshotter = (*Client)(nil)
	_ lifecycle.Historian   = (*Client)(nil)
)

// New returns a client, or every mistake in cfg at once. It makes no call.
func New(cfg Config) (*Client, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("configure PagerDuty: %w", err)
	}
	base := cfg.Transport
	if base == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxIdleConnsPerHost = 2*cfg.Concurrency + 4 // a sweep's, those somebody waits for, and writes
		base = t
	}
	c := &Client{cfg: cfg, turns: newTurns(), log: cfg.Log, now: cfg.Now}
	answers := &whole{next: base, timeout: cfg.Timeout}
	var cred credential = &keyCredential{token: cfg.Token}
	if cfg.Token == nil {
		c.oauth = newOAuthCredential(cfg, answers)
		cred = c.oauth
	}
	c.marks = newMarks(cfg.ClientID)
	signed := &authorise{next: answers, credential: cred, marks: c.marks}
	limit := newLimiter(cfg.PerMinute, 4*cfg.Backoff)
	c.prompt = c.chain(&pace{next: signed, limit: limit})
	c.sweep = c.chain(&pace{next: signed, limit: limit, sweeping: true})
	return c, nil
}

func (c *Client) chain(next http.RoundTripper) api {
	return api{base: c.cfg.APIURL, http: &http.Client{
		Transport: &retry{next: newGate(next, c.cfg.Concurrency), backoff: c.cfg.Backoff, tries: 5, log: c.log},
		// A redirect would carry the key to wherever it points.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}
