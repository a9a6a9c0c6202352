package slacktest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Config says what the workspace is. The zero value is a strict workspace with usable credentials.
type Config struct {
	// Now is the workspace's clock: message timestamps, trigger and response URL ages, rate limits, signatures.
	// Default time.Now. Waiting (for acknowledgements, retries, pings) always uses real timers.
	Now func() time.Time

	BotToken      string // default "xoxb-slacktest"
	AppToken      string // default "xapp-slacktest"
	SigningSecret string // default "slacktest-signing-secret"

	TeamID     string // default "T0ACME"
	TeamDomain string // default "acme"
	AppID      string // default "A0ROLECALL"
	BotUserID  string // default "U0ROLECALL"
	BotID      string // default "B0ROLECALL"
	BotName    string // default "rolecall"

	// Scopes the bot token was granted. Nil grants every scope the fake knows; a method whose scope is absent answers
	// missing_scope.
	Scopes []string
	// Commands that the app has registered, such as "/rolecall". Nil registers whatever is typed.
	Commands []string

	// NoRateLimits switches the tiers of the Web API off. The default is to enforce them.
	NoRateLimits bool

	AckTimeout   time.Duration   // how long an acknowledgement may take; default 3 s, as Slack
	RetryDelays  []time.Duration // waits before the retries of an event; default 0, 1 min, 5 min, as Slack
	PingInterval time.Duration   // WebSocket pings; default 15 s
	FileDelay    time.Duration   // how long Slack works on a file before blocks may show it; default 0

	// PublicURL is the base of response URLs, without a trailing slash. Start sets it; without Start it is learned
	// from the Host of the requests that arrive.
	PublicURL string

	MaxCalls   int          // how many calls, deliveries and violations are remembered; default 10,000 each
	HTTPClient *http.Client // sends to the app in HTTP mode; default a client of its own
	Log        *slog.Logger // default discards
}

func (c Config) withDefaults() Config {
	for _, d := range []struct {
		field *string
		value string
	}{
		{&c.BotToken, "xoxb-slacktest"},
		{&c.AppToken, "xapp-slacktest"},
		{&c.SigningSecret, "slacktest-signing-secret"},
		{&c.TeamID, "T0ACME"},
		{&c.TeamDomain, "acme"},
		{&c.AppID, "A0ROLECALL"},
		{&c.BotUserID, "U0ROLECALL"},
		{&c.BotID, "B0ROLECALL"},
		{&c.BotName, "rolecall"},
	} {
		if *d.field == "" {
			*d.field = d.value
		}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Scopes == nil {
		c.Scopes = allScopes()
	}
	return c.withLimits()
}

func (c Config) withLimits() Config {
	if c.AckTimeout == 0 {
		c.AckTimeout = 3 * time.Second
	}
	if c.RetryDelays == nil {
		c.RetryDelays = []time.Duration{0, time.Minute, 5 * time.Minute}
	}
	if c.PingInterval == 0 {
		c.PingInterval = 15 * time.Second
	}
	if c.MaxCalls == 0 {
		c.MaxCalls = 10_000
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.HTTPClient == nil {
		c.HTTPClient = &http.Client{}
	}
	return c
}

// Workspace is one Slack workspace with one app installed. Make it with New; its methods may be used concurrently.
type Workspace struct {
	cfg     Config
	methods map[string]method

	life   context.Context // ends with Close
	end    context.CancelFunc
	tasks  sync.WaitGroup // retries, pings, readers
	server *http.Server

	mu        sync.Mutex
	publicURL string
	version   uint64
	changed   chan struct{} // closed and replaced at every change
	lastTS    int64         // microseconds of the newest timestamp
	serial    int           // source of ids

	users    map[string]*User
	userIDs  []string
	groups   map[string]*UserGroup
	groupIDs []string
	channels map[string]*channel
	chanIDs  []string
	files    map[string]*file

	ephemerals map[string][]*message // by user
	stacks     map[string][]*view    // open modals by user, the top last
	homes      map[string]*view
	triggers   map[string]*trigger
	responses  map[string]*responseURL

	triggerRoom, responseRoom int // how many of each before the stale ones are dropped

	socket  socketHub
	http    httpTargets
	faults  []*armedFault
	buckets map[string]*bucket

	calls      ring[Call]
	violations ring[Violation]
	deliveries ring[Delivery]
}

// New makes a workspace that holds nobody but the bot.
func New(cfg Config) *Workspace {
	cfg = cfg.withDefaults()
	life, end := context.WithCancel(context.Background())
	w := &Workspace{
		cfg: cfg, life: life, end: end, publicURL: cfg.PublicURL,
		changed: make(chan struct{}),
		users:   map[string]*User{}, groups: map[string]*UserGroup{}, channels: map[string]*channel{}, files: map[string]*file{},
		ephemerals: map[string][]*message{}, stacks: map[string][]*view{}, homes: map[string]*view{},
		triggers: map[string]*trigger{}, responses: map[string]*responseURL{}, buckets: map[string]*bucket{},
		calls: newRing[Call](cfg.MaxCalls), violations: newRing[Violation](cfg.MaxCalls), deliveries: newRing[Delivery](cfg.MaxCalls),
	}
	w.socket = newSocketHub()
	w.methods = w.methodTable()
	w.AddUser(User{ID: cfg.BotUserID, Name: cfg.BotName, RealName: cfg.BotName, Bot: true})
	return w
}

// Handler serves the app's side: /api/<method>, the Socket Mode WebSocket and the response URLs.
func (w *Workspace) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/api/{method}", w.serveAPI)
	mux.HandleFunc("GET /link", w.serveSocket)
	mux.HandleFunc("POST /commands/{id}", w.serveResponseURL)
	mux.HandleFunc("POST /upload/v1/{id}", w.serveUpload)
	return mux
}

// Start serves the workspace on a free port of 127.0.0.1 and returns its base URL, such as "http://127.0.0.1:41234".
// The URL for slack.OptionAPIURL is this plus "/api/". Close stops it. It fails when no port can be opened.
func (w *Workspace) Start() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a free port of this machine is there at once
	if err != nil {
		return "", fmt.Errorf("listen for slack requests: %w", err)
	}
	base := "http://" + listener.Addr().String()
	w.server = &http.Server{Handler: w.Handler(), ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(w.cfg.Log.Handler(), slog.LevelDebug)}
	w.SetPublicURL(base)
	w.tasks.Go(func() {
		if err := w.server.Serve(listener); err != nil && !errors.Is(err, http.ErrServerClosed) {
			w.cfg.Log.Error("serve slack", slog.Any("err", err))
		}
	})
	return base, nil
}

// SetPublicURL says under which base URL, without a trailing slash, the app reaches this workspace.
func (w *Workspace) SetPublicURL(base string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.publicURL = strings.TrimSuffix(base, "/")
}

// Close ends connections, retries and the server that Start began, and waits until they are gone.
// It returns the server's error, if any.
func (w *Workspace) Close() error {
	w.mu.Lock()
	w.end() // under mu, so that nothing is spawned after this
	w.mu.Unlock()
	w.DropConnections()
	var err error
	if w.server != nil {
		err = w.server.Close()
	}
	w.tasks.Wait()
	return err
}

// spawn runs a task that Close waits for; it does nothing once the workspace is closed. The caller holds mu.
func (w *Workspace) spawn(task func()) {
	if w.life.Err() == nil {
		w.tasks.Go(task)
	}
}

// Config returns the workspace's configuration with every default filled in: tokens, secret and ids for the app.
func (w *Workspace) Config() Config {
	w.mu.Lock()
	defer w.mu.Unlock()
	cfg := w.cfg
	cfg.PublicURL = w.publicURL
	cfg.Scopes = slices.Clone(cfg.Scopes)
	return cfg
}

// Version grows with every change anyone could see.
func (w *Workspace) Version() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.version
}

// Wait returns the version as soon as it is greater than since, or the error of ctx.
func (w *Workspace) Wait(ctx context.Context, since uint64) (uint64, error) {
	for {
		w.mu.Lock()
		version, changed := w.version, w.changed
		w.mu.Unlock()
		if version > since {
			return version, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return version, fmt.Errorf("wait for a change after version %d: %w", since, ctx.Err())
		}
	}
}

// Until returns nil as soon as reached reports true, looking again after every change, or the error of ctx.
func (w *Workspace) Until(ctx context.Context, reached func() bool) error {
	for {
		seen := w.Version()
		if reached() {
			return nil
		}
		if _, err := w.Wait(ctx, seen); err != nil {
			return err
		}
	}
}

// bump tells those who wait that something changed. The caller holds mu.
func (w *Workspace) bump() {
	w.version++
	close(w.changed)
	w.changed = make(chan struct{})
}

// stamp returns a new timestamp in Slack's form, greater than every one before. The caller holds mu.
func (w *Workspace) stamp() string {
	w.lastTS = max(w.cfg.Now().UnixMicro(), w.lastTS+1)
	return fmt.Sprintf("%d.%06d", w.lastTS/1e6, w.lastTS%1e6)
}

// id returns a new id with a prefix, in the upper case of Slack's ids. The caller holds mu.
func (w *Workspace) id(prefix string) string {
	w.serial++
	return fmt.Sprintf("%s%08X", prefix, 0x5EED0000+w.serial)
}
