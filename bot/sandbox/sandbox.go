package sandbox

import (
	"bytes"
	"crypto/rand"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"sync/atomic"
)

//go:embed pages static
var files embed.FS

// sandbox is the page of one workspace.
type sandbox struct {
	cfg   Config
	pages *template.Template
	token string // of this server: every form carries it
	assets
	turns atomic.Uint64 // how many pages were drawn: tells the script which of two is newer

	desk  *desk    // what browsers would remember
	trail *tracker // what changed in PagerDuty lately
}

// New returns the page as a handler to be served on a loopback address: it refuses every other host name. The
// handler ends its open streams when the request's context ends; end the server's BaseContext to shut down at once.
// It fails when the configuration lacks something or names somebody who is not there.
func New(cfg Config) (http.Handler, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	s := &sandbox{cfg: cfg.withDefaults(), token: rand.Text(), desk: newDesk(), trail: newTracker()}
	var err error
	if s.assets, err = readAssets(); err != nil {
		return nil, err
	}
	if s.pages, err = template.New("").Funcs(s.functions()).ParseFS(files, "pages/*.html"); err != nil {
		return nil, fmt.Errorf("parse pages: %w", err)
	}
	return guard(s.token, s.routes()), nil
}

// scene is what a nested template needs: the page around it and what it shows.
type scene struct {
	Page *page
	View any
}

func (s *sandbox) functions() template.FuncMap {
	return template.FuncMap{
		"asset": s.assets.path,
		"on":    func(p *page, view any) scene { return scene{p, view} },
		"size":  func(options []option) int { return min(max(len(options), 2), 8) },
	}
}

func (s *sandbox) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.begin)
	mux.HandleFunc("GET /u/{user}", s.resolve)
	mux.HandleFunc("GET /u/{user}/c/{channel}", s.show)
	mux.HandleFunc("GET /u/{user}/dm", s.show)
	mux.HandleFunc("GET /u/{user}/home", s.show)
	mux.HandleFunc("GET /live", s.live)
	mux.HandleFunc("GET /static/{name}", s.static)
	mux.HandleFunc("GET /files/{id}", s.file)
	for path, do := range map[string]action{
		"press": s.press, "modal": s.modal, "say": s.say, "shortcut": s.shortcut, "home": s.openHome, "dismiss": s.dismiss, "step": s.step,
	} {
		mux.HandleFunc("POST /u/{user}/"+path, s.acting(do))
	}
	mux.HandleFunc("/", s.lost)
	return mux
}

// begin sends a newcomer to the first person's first conversation.
func (s *sandbox) begin(w http.ResponseWriter, r *http.Request) {
	first, ok := s.firstPerson()
	if !ok {
		s.problem(w, r, http.StatusNotFound, errors.New("nobody lives in this workspace yet"))
		return
	}
	http.Redirect(w, r, s.doorOf(first, ""), http.StatusSeeOther)
}

// resolve sends an acting person to a place that they can see.
func (s *sandbox) resolve(w http.ResponseWriter, r *http.Request) {
	u, ok := s.actor(r.PathValue("user"))
	if !ok {
		s.lost(w, r)
		return
	}
	http.Redirect(w, r, s.doorOf(u, r.URL.Query().Get("open")), http.StatusSeeOther)
}

func (s *sandbox) lost(w http.ResponseWriter, r *http.Request) {
	s.problem(w, r, http.StatusNotFound, fmt.Errorf("there is nothing at %s", r.URL.Path))
}

// problem shows a page that says what is wrong, in words.
func (s *sandbox) problem(w http.ResponseWriter, r *http.Request, status int, cause error) {
	var b bytes.Buffer
	if err := s.pages.ExecuteTemplate(&b, "problem", map[string]any{"Title": s.cfg.Title, "Words": capital(cause.Error())}); err != nil {
		s.cfg.Log.ErrorContext(r.Context(), "draw problem page", slog.Any("err", err))
	}
	w.WriteHeader(status)
	s.send(w, r, b.Bytes())
}

// assets are the style sheet and the script, each under a name that changes with its content.
type assets map[string]asset

type asset struct {
	kind, digest string
	body         []byte
}

func readAssets() (assets, error) {
	out := assets{}
	for name, kind := range map[string]string{"style.css": "text/css; charset=utf-8", "script.js": "text/javascript; charset=utf-8", "icon.svg": "image/svg+xml"} {
		body, err := fs.ReadFile(files, "static/"+name)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		out[name] = asset{kind: kind, digest: digest(body), body: body}
	}
	return out, nil
}

// path returns the address of an asset.
func (a assets) path(name string) string { return "/static/" + name + "?v=" + a[name].digest }

func (s *sandbox) static(w http.ResponseWriter, r *http.Request) {
	file, ok := s.assets[r.PathValue("name")]
	if !ok {
		s.lost(w, r)
		return
	}
	w.Header().Set("Content-Type", file.kind)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	s.send(w, r, file.body)
}
