package oktatest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// A Config says what kind of org it is.
type Config struct {
	Token     string           // an API token; without one nothing can be read
	Now       func() time.Time // time.Now when nil
	RateLimit int              // calls a minute to each endpoint; 0 for none
}

// An Org is one Okta org. All methods may be called at any time from any goroutine.
type Org struct {
	cfg    Config
	routes http.Handler

	mu       sync.Mutex
	log      []logged
	users    map[string]*User
	groups   map[string][]string // user → names, sorted
	windows  map[string]*window
	faults   []Fault
	calls    []string
	broken   []string // rules that a client has broken
	numbered int
	hook     hook
	pending  []int // of the log, for the hook

	serveMu sync.Mutex
	server  *http.Server
	done    sync.WaitGroup
	served  error
}

// New returns an org that has nobody in it.
func New(cfg Config) *Org {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	o := &Org{cfg: cfg, users: map[string]*User{}, groups: map[string][]string{}, windows: map[string]*window{}}
	o.routes = o.mux()
	return o
}

// Handler returns the org's API.
func (o *Org) Handler() http.Handler { return o.routes }

// Start serves the API on a free port of the loopback interface and returns its base URL, without a slash at the end. It
// returns an error when no port can be had or the org is already being served.
func (o *Org) Start() (string, error) {
	o.serveMu.Lock()
	defer o.serveMu.Unlock()
	if o.server != nil {
		return "", errors.New("start the fake Okta: it is already started")
	}
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("start the fake Okta: %w", err)
	}
	o.server = &http.Server{Handler: o.routes, ReadHeaderTimeout: time.Minute, ErrorLog: log.New(io.Discard, "", 0)}
	srv := o.server
	o.done.Go(func() {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			o.serveMu.Lock()
			defer o.serveMu.Unlock()
			o.served = err
		}
	})
	return "http://" + l.Addr().String(), nil
}

// Close stops serving at once and waits until the port is free. It returns what went wrong in serving, if anything did.
func (o *Org) Close() error {
	o.serveMu.Lock()
	srv := o.server
	o.server = nil
	o.serveMu.Unlock()
	if srv == nil {
		return nil
	}
	err := srv.Close()
	o.done.Wait()
	o.serveMu.Lock()
	defer o.serveMu.Unlock()
	return errors.Join(err, o.served)
}

// Violations returns what clients did that Okta lets pass although it is a mistake.
func (o *Org) Violations() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.broken)
}

// Calls returns the method and path of every call so far.
func (o *Org) Calls() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.calls)
}

func (o *Org) now() time.Time { return o.cfg.Now().UTC().Truncate(time.Millisecond) }

// violate notes a broken rule. The caller holds the lock.
func (o *Org) violate(format string, args ...any) {
	o.broken = append(o.broken, fmt.Sprintf(format, args...))
}
