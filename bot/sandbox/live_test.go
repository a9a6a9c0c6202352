package sandbox_test

import (
	"bufio"
	"context"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestTheStreamTellsOfEveryChange opens the stream and changes one thing after the other.
func TestTheStreamTellsOfEveryChange(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if kind := response.Header.Get("Content-Type"); kind != "text/event-stream" {
		t.Errorf("content type %q", kind)
	}
	events := bufio.NewScanner(response.Body)
	next := func(what string) {
		t.Helper()
		for events.Scan() {
			if events.Text() == "event: change" {
				return
			}
		}
		t.Fatalf("the stream ended before it told of %s: %v", what, events.Err())
	}
	next("its beginning")
	next("what PagerDuty was when it began")
	if _, err := s.ws.Say(marco, payments, "", "news"); err != nil {
		t.Fatal(err)
	}
	next("a message")
	s.pd.join("Ana Lima")
	next("a change in PagerDuty")
}

// TestTheScriptGetsOnlyWhatChanged asks as the script does.
func TestTheScriptGetsOnlyWhatChanged(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	path := "/u/" + marco + "/c/" + payments
	s.page(path) // marks the conversation as read
	page := s.page(path)
	var have []string
	for _, found := range regexp.MustCompile(`data-pane="(\w+)" data-digest="(\w+)"`).FindAllStringSubmatch(page, -1) {
		have = append(have, found[1]+":"+found[2])
	}
	if len(have) != 9 {
		t.Fatalf("the page has the panes %q, want nine", have)
	}
	if panes := s.panes(path, have); len(panes) != 0 {
		t.Errorf("nothing has changed, and yet %q came", panes)
	}
	s.pd.join("Ana Lima")
	if panes := s.panes(path, have); strings.Join(panes, " ") != "pagerduty" {
		t.Errorf("a change in PagerDuty brought %q", panes)
	}
	if _, err := s.ws.Say(ines, payments, "", "news"); err != nil {
		t.Fatal(err)
	}
	if panes := s.panes(path, have); strings.Join(panes, " ") != "main pagerduty" {
		t.Errorf("a message brought %q", panes)
	}
}

func (s *stage) panes(path string, have []string) []string {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.url+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Sandbox-Panes", strings.Join(have, " "))
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	if response.Header.Get("Sandbox-Turn") == "" {
		s.t.Error("the answer has no turn")
	}
	var out []string
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		for _, found := range regexp.MustCompile(`data-pane="(\w+)"`).FindAllStringSubmatch(lines.Text(), -1) {
			out = append(out, found[1])
		}
	}
	if err := lines.Err(); err != nil {
		s.t.Fatal(err)
	}
	return out
}
