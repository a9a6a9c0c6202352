package bot_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/websocket"
)

// relay stands between the bot and the workspace, and lets alter change what
// Slack sends over the socket: a Slack that is newer than the library.
type relay struct {
	*httptest.Server
	upstream string
	alter    func([]byte) []byte
	running  sync.WaitGroup
}

func newRelay(t *testing.T, upstream string, alter func([]byte) []byte) *relay {
	t.Helper()
	target, err := url.Parse(upstream)
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{upstream: strings.Replace(upstream, "http", "ws", 1), alter: alter}
	mux := http.NewServeMux()
	mux.HandleFunc("/link", r.link)
	mux.Handle("/", &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(target)
		p.Out.Host = p.In.Host // so that the socket's URL is the relay's
	}})
	r.Server = httptest.NewServer(mux)
	t.Cleanup(func() {
		r.CloseClientConnections()
		r.Server.Close()
		r.running.Wait()
	})
	return r
}

func (r *relay) link(w http.ResponseWriter, req *http.Request) {
	up, resp, err := websocket.DefaultDialer.DialContext(req.Context(), r.upstream+req.URL.RequestURI(), nil)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer resp.Body.Close()
	upgrader := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	down, err := upgrader.Upgrade(w, req, nil)
	if err != nil {
		up.Close()
		return
	}
	r.running.Go(func() { pump(down, up, func(b []byte) []byte { return b }) })
	pump(up, down, r.alter)
}

// pump passes on what from says until either end hangs up.
func pump(from, to *websocket.Conn, alter func([]byte) []byte) {
	defer from.Close()
	defer to.Close()
	for {
		kind, body, err := from.ReadMessage()
		if err != nil || to.WriteMessage(kind, alter(body)) != nil {
			return
		}
	}
}
