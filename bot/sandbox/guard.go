package sandbox

import (
	"crypto/subtle"
	"errors"
	"net"
	"net/http"
	"strings"
)

// maxForm is how many bytes a form may have; modals hold a few texts of 3,000 characters.
const maxForm = 1 << 20

// policy lets the page use its own style sheet, script, forms and stream, and nothing else.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// guard lets through only what comes from this page on this machine: requests for a loopback host name (so that no
// other name can be rebound to this server), and posts from the same origin that carry the token of this server.
func guard(token string, next http.Handler) http.Handler {
	sameOrigin := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setHeaders(w.Header())
		err := checkHost(r.Host)
		if err == nil {
			err = sameOrigin.Check(r)
		}
		if err == nil && r.Method == http.MethodPost {
			r.Body = http.MaxBytesReader(w, r.Body, maxForm)
			err = checkToken(r, token)
		}
		if err != nil {
			http.Error(w, "Refused: "+err.Error()+".", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func setHeaders(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin") // "no-referrer" would make browsers send "Origin: null" with forms
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", "text/html; charset=utf-8")
}

func checkHost(host string) error {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.Trim(name, "[]")
	if ip := net.ParseIP(name); strings.EqualFold(name, "localhost") || (ip != nil && ip.IsLoopback()) {
		return nil
	}
	return errors.New("this page answers only to localhost and loopback addresses")
}

func checkToken(r *http.Request, token string) error {
	if err := r.ParseForm(); err != nil {
		return errors.New("the form cannot be read: " + err.Error())
	}
	if subtle.ConstantTimeCompare([]byte(r.PostForm.Get("csrf")), []byte(token)) != 1 {
		return errors.New("the form is not of this page; the demo may have been restarted: go back and reload")
	}
	return nil
}
