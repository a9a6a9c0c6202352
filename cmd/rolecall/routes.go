package main

import (
	"context"
	"fmt"
	"net/http"
	"path"
	"strings"
	"time"

	"rolecall/lifecycle/intake/scim"
)

// routes is everything the one listener answers.
func (h *service) routes() http.Handler {
	mux := http.NewServeMux()
	h.intakes.route(mux)
	mux.Handle("/slack/", h.bot.HTTP())
	mux.Handle("GET /metrics", h.meter.handler())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", h.readyz)
	return singleSlashes(h.meter.count(withHeaders(mux)))
}

// singleSlashes makes one of slashes that stand together in a path of SCIM's: a
// base URL that ends in one is a common slip, and who is redirected, as a mux
// does, leaves the token or the body behind.
func singleSlashes(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, scim.Route) && strings.Contains(r.URL.Path, "//") {
			is, at := *r, *r.URL
			at.Path, at.RawPath = path.Clean(at.Path), ""
			is.URL, r = &at, &is
		}
		next.ServeHTTP(w, r)
	})
}

// withHeaders says on every answer that it is nobody's page to show.
func withHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

const readyWithin = 5 * time.Second

// readyz is 200 when everything that work needs is there, else 503 and a line
// for each that is not. Where Slack loses presses, it is 200 and says that.
func (h *service) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyWithin)
	defer cancel()
	var wrong []string
	for _, c := range h.checks() {
		if err := c.check(ctx); err != nil {
			h.log.WarnContext(ctx, "not ready", attr("what", c.what), attrErr(err))
			wrong = append(wrong, c.what)
		}
	}
	if len(wrong) > 0 {
		answer(w, http.StatusServiceUnavailable, strings.Join(wrong, "\n"))
		return
	}
	if n := h.bot.Ghosts(); n > 0 { // that it goes on is better than a new start, which would leave more of them
		answer(w, http.StatusOK, fmt.Sprintf("ready\nbut Slack counts %d more than rolecall's connections: some of what is pressed is lost", n))
		return
	}
	answer(w, http.StatusOK, "ready")
}

type readyCheck struct {
	what  string // is wrong, when check fails
	check func(context.Context) error
}

func (h *service) checks() []readyCheck {
	return []readyCheck{
		{"the database cannot be read and written", h.db.Ping},
		{"PagerDuty cannot be read", h.pd.Ping},
		{"the policy's teams are not resolved against PagerDuty", func(ctx context.Context) error { _, err := h.live.Current(ctx); return err }},
		{"Slack is not connected", func(context.Context) error { return h.bot.Connected() }},
	}
}

func answer(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	fmt.Fprintln(w, text)
}
