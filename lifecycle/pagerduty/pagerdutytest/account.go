package pagerdutytest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// DefaultRateLimit is what PagerDuty allows an account key in a minute.
const DefaultRateLimit = 960

// NoRateLimit switches the rate limit off.
const NoRateLimit = -1

// A Config says what kind of account it is. Its zero value is an account on a generous plan that nobody has a key to.
type Config struct {
	Now       func() time.Time // time.Now when nil
	Subdomain string           // "acme" when empty

	Token         string            // an account key with full access
	ReadOnlyToken string            // an account key that may only GET
	UserTokens    map[string]string // API tokens of users, to their ids; what the user may do is not modelled
	OAuth         OAuthClient       // the client of a scoped OAuth app; none when ID is empty

	RateLimit int            // calls a minute and credential; DefaultRateLimit when 0, NoRateLimit for none
	OpLimits  map[string]int // further limits a minute for operations such as "GET /oncalls"; PagerDuty has some, unpublished
	Abilities []string       // AllAbilities when nil
	Latency   time.Duration  // how long each call takes
	ReadLag   ReadLag        // how long users and team members still look old after a write

	AuditDelay time.Duration // how long it takes until an audit record can be read
	Analytics  Analytics

	LenientFrom     bool // POST /users passes without From, as seen in practice; PagerDuty's documents require it
	AccountLock     bool // user writes that overlap are refused with "account could not be locked"
	NoRoundRobin    bool // asking for assignment strategies is refused, as on plans without them
	StrictDowngrade bool // a user on call cannot become a stakeholder; what PagerDuty does is not known
	Offboarding     Offboarding
}

// Offboarding is the feature of that name. No call reveals it: clients learn of it by the 400 they get or do not get.
type Offboarding struct {
	Enabled          bool // deleted users stay behind as placeholders in schedules and policies
	RestartIncidents bool // the owner chose that their open incidents restart on their policies
}

// OAuthClient is a scoped OAuth app of the account.
type OAuthClient struct {
	ID, Secret string
	Region     string   // "us" when empty
	Scopes     []string // what the app was given; asking for more silently yields fewer

	// ScopesAsText makes the refusal of a token that lacks a scope what users of PagerDuty's Terraform provider quote (its
	// pull request 1027): scopes in one text, and no code. No document says which form they come in.
	ScopesAsText bool
}

// An Account is one PagerDuty account behind an HTTP API. All methods may be called at any time from any goroutine.
type Account struct {
	cfg    Config
	routes http.Handler

	mu sync.Mutex
	state
	journal
	cover  cover
	memo   memo
	faults []*armed
	tokens map[string]token
	newest string // of the tokens
	limits map[string]*window
	inUser int // user writes under way

	version uint64
	changed chan struct{} // closed at the next change

	serveMu sync.Mutex
	server  *http.Server
	done    sync.WaitGroup
	served  error
}

// New returns an account that has its standard licences and nothing else.
func New(cfg Config) *Account {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Subdomain == "" {
		cfg.Subdomain = "acme"
	}
	if cfg.OAuth.Region == "" {
		cfg.OAuth.Region = "us"
	}
	if cfg.RateLimit == 0 {
		cfg.RateLimit = DefaultRateLimit
	}
	if cfg.Abilities == nil {
		cfg.Abilities = AllAbilities()
	}
	cfg.Abilities, cfg.UserTokens, cfg.OpLimits = slices.Clone(cfg.Abilities), maps.Clone(cfg.UserTokens), maps.Clone(cfg.OpLimits)
	a := &Account{
		cfg: cfg, state: newState(), journal: newJournal(),
		tokens: map[string]token{}, limits: map[string]*window{}, changed: make(chan struct{}),
	}
	a.routes = a.mux()
	a.licenses = standardLicenses()
	return a
}

// Handler returns the API as an http.Handler.
func (a *Account) Handler() http.Handler { return a.routes }

// Start serves the API on a free port of the loopback interface and returns its base URL, without a slash at the end.
// It returns an error when no port can be had or the account is already being served.
func (a *Account) Start() (string, error) {
	a.serveMu.Lock()
	defer a.serveMu.Unlock()
	if a.server != nil {
		return "", errors.New("start the fake PagerDuty: it is already started")
	}
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("start the fake PagerDuty: %w", err)
	}
	a.server = &http.Server{Handler: a.routes, ReadHeaderTimeout: time.Minute, ErrorLog: log.New(io.Discard, "", 0)}
	srv := a.server
	a.done.Go(func() {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			a.serveMu.Lock()
			defer a.serveMu.Unlock()
			a.served = err
		}
	})
	return "http://" + l.Addr().String(), nil
}

// Close stops serving at once, cutting the connections of calls that are under way, and waits until the port is free. It
// returns what went wrong in serving, if anything did. An account that is not served may be closed too.
func (a *Account) Close() error {
	a.serveMu.Lock()
	srv := a.server
	a.server = nil
	a.serveMu.Unlock()
	if srv == nil {
		return nil
	}
	err := srv.Close()
	a.done.Wait()
	a.serveMu.Lock()
	defer a.serveMu.Unlock()
	return errors.Join(err, a.served)
}

func (a *Account) now() time.Time { return a.cfg.Now().UTC() }
