package intake

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// What a notice costs before the store is asked: to compare with what a commit costs.
func BenchmarkVerifyAndParse(b *testing.B) {
	h := newHouse(b)
	h.secrets = secretsOf(b, secretB+" "+secretA)
	r := h.signed(RouteLifecycle, mediaEvent, minaMoves)
	body := []byte(minaMoves)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		c, err := claimsOf(r.Header, h.clock.now())
		if err != nil || !c.signedBy(h.secrets, body) {
			b.Fatal("is not let in")
		}
		if _, err := h.readFact(body); err != nil {
			b.Fatal(err)
		}
	}
}

// What a stranger's forgery costs, once the trail is full.
func BenchmarkForgery(b *testing.B) {
	h := newHouse(b)
	b.ReportAllocs()
	for b.Loop() {
		r := h.signed(RouteLifecycle, mediaEvent, minaMoves)
		r.Header.Set(headerID, "msg_2")
		if w := h.send(r); w.Code != http.StatusUnauthorized {
			b.Fatal(w.Code)
		}
	}
}

func BenchmarkReadRoster(b *testing.B) {
	var text strings.Builder
	head, rest, _ := strings.Cut(rosterCSV, "\n")
	row, _, _ := strings.Cut(rest, "\n")
	text.WriteString(head + "\n")
	for i := range 10_000 {
		text.WriteString(strings.Replace(row, "E1042", fmt.Sprint("E", i), 1) + "\n")
	}
	b.SetBytes(int64(text.Len()))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := readFacts(bytes.NewReader([]byte(text.String())), CSV, "hris", rosterTime); err != nil {
			b.Fatal(err)
		}
	}
}
