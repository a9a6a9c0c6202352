package scim

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	server "github.com/elimity-com/scim"

	"rolecall/lifecycle"
	"rolecall/lifecycle/intake"
)

// atOnce is how many requests of one client are answered at a time. One more is
// told to come back: none is lost, because none was begun. No client takes up
// another's room.
const atOnce = 64

// Config is what a Handler works with. All of it is needed.
type Config struct {
	Provisioning *lifecycle.Provisioning
	Store        lifecycle.ResourceStore
	Inbox        *lifecycle.Inbox // for what is refused
	// Clients returns who may provision, nobody when the intake is off. It is called
	// for every request, so that a file that changed counts at once. An error is
	// answered with 503: nobody is let in unchecked.
	Clients func() ([]Client, error)
	Sources intake.Sources
	Now     func() time.Time
	Log     *slog.Logger
}

// A Handler answers everything under Route. It is safe for many at once.
type Handler struct {
	config Config
	ledger *intake.Ledger
	types  []server.ResourceType // never changed
	rooms  sync.Map              // source → chan struct{} with room for atOnce; only of who was let in
}

// enter returns what gives the room back, or false when the client has none left.
func (h *Handler) enter(source string) (leave func(), ok bool) {
	kept, _ := h.rooms.LoadOrStore(source, make(chan struct{}, atOnce))
	room := kept.(chan struct{})
	select {
	case room <- struct{}{}:
		return func() { <-room }, true
	default:
		return nil, false
	}
}

// New returns a handler, and logs when it is off for want of a client.
func New(c Config) *Handler {
	clients, err := c.Clients()
	switch {
	case err != nil:
		c.Log.Error("read SCIM clients", slog.Any("err", err))
	case len(clients) == 0:
		c.Log.Warn("the SCIM intake is off: it has no client")
	}
	return &Handler{config: c, ledger: intake.NewLedger(c.Inbox, c.Now, c.Log), types: resourceTypes()}
}

// Flush writes what was counted of refusals and is not on the record yet; see
// intake.Handler.
func (h *Handler) Flush(ctx context.Context) { h.ledger.Settle(ctx, true) }

// ServeHTTP answers one request; the package's documentation says how.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.ledger.Settle(r.Context(), false)
	v := &visit{handler: h, show: projectionOf(r.URL.Query())}
	a, err := h.guarded(w, r, v)
	if err != nil {
		a = h.turnAway(r, v, err)
	}
	if err := a.write(w); err != nil {
		h.config.Log.WarnContext(r.Context(), "answer a SCIM client", slog.String("route", v.name), slog.Any("err", err))
	}
}

var errPanic = errors.New("the handler fell over")

// guarded answers, or returns why not, whatever happens in between: the library
// has fallen over requests before.
func (h *Handler) guarded(w http.ResponseWriter, r *http.Request, v *visit) (a answer, err error) {
	defer func() {
		if p := recover(); p != nil {
			h.config.Log.ErrorContext(r.Context(), "panic in SCIM", slog.String("route", v.name), slog.String("method", r.Method),
				slog.String("stack", string(debug.Stack())))
			err = errPanic
		}
	}()
	return h.answer(w, r, v)
}

func (h *Handler) answer(w http.ResponseWriter, r *http.Request, v *visit) (answer, error) {
	var lost error
	v.route, lost = routeOf(r)
	clients, err := h.config.Clients()
	if err != nil {
		return answer{}, intake.OwnFault("read the SCIM clients", err)
	}
	if len(clients) == 0 {
		return answer{}, failStatus(http.StatusNotFound, "SCIM is off here: it has no client")
	}
	if v.source, err = authenticate(r, clients); err != nil {
		return answer{}, err
	}
	leave, ok := h.enter(v.source)
	if !ok {
		return answer{}, later(1, "too many requests at once; send it again")
	}
	defer leave()
	// What was not noted as heard would not be held back as a first sync.
	if _, err := h.config.Sources.Hear(r.Context(), v.source, true); err != nil {
		return answer{}, err
	}
	if lost != nil {
		return answer{}, lost
	}
	return h.serve(w, r, v)
}

// turnAway puts a refusal on the record and returns its answer. Everything that
// is no refusal is a fault of ours, and is logged.
func (h *Handler) turnAway(r *http.Request, v *visit, err error) answer {
	f := failureOf(err)
	if f == nil {
		h.config.Log.ErrorContext(r.Context(), "answer a SCIM client", slog.String("route", v.name), slog.String("source", v.source), slog.Any("err", err))
		f = later(5, "nothing can be kept at the moment; send it again")
		if errors.Is(err, errPanic) {
			f = &failure{status: http.StatusInternalServerError, detail: "internal error; it has been logged"}
		}
	}
	if recorded(r.Method, f.status) {
		h.ledger.Refuse(r, method(r)+" "+v.name, v.source, f.reason())
	}
	return answer{status: f.status, header: f.header, body: f.body()}
}

// method returns the request's out of a closed set: whoever makes up others gets
// no page of their own in the ledger.
func method(r *http.Request) string {
	if slices.Contains([]string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}, r.Method) {
		return r.Method
	}
	return "OTHER"
}

// recorded reports whether a refusal is for the trail: who is not let in, and
// what was to change and did not. To look for what is not there is no refusal.
func recorded(method string, status int) bool {
	switch {
	case status == http.StatusUnauthorized:
		return true
	case status >= http.StatusInternalServerError, status == http.StatusMethodNotAllowed:
		return false
	default:
		return method != http.MethodGet || status == http.StatusBadRequest
	}
}
