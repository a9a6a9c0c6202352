package scim

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// secret is the password that the stories send: it must be nowhere afterwards.
const secret = "1mz050nq-never-kept"

// A step of a story is one request and what comes of it:
//
//	== A sentence that names it
//	as entra                      (okta, unless it says otherwise)
//	PATCH /Users/$mina
//	If-Match: W/"1"
//	{ … }
//	-> 200                        the status
//	Etag: W/"2"                   headers of the answer
//	{ … }                         part of the answer: "$name" is kept, or is what was kept; "$absent" is not there
//	~ active emails=…             each fact that follows; without one, none does
type step struct {
	name, client, method, path string
	header                     http.Header
	body                       string
	status                     int
	answerHeader               map[string]string
	answer                     string
	facts                      []string
}

// Real requests of Okta and Entra ID, in the order in which they are sent.
func TestStories(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/stories/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	steps := 0
	for _, file := range files {
		story := readStory(t, file)
		steps += len(story)
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			newHouse(t).tellAll(t, story)
		})
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt")+" over SQLite", func(t *testing.T) {
			t.Parallel()
			db, path := openSQLite(t)
			s := newStore()
			houseOver(t, noting{DB: db, store: s}, s).tellAll(t, story)
			wantNoByte(t, path, secret)
		})
	}
	if steps < 80 {
		t.Errorf("the stories have %d requests; they are to have 80 at least", steps)
	}
}

func (h *house) tellAll(t *testing.T, story []step) {
	kept := map[string]string{}
	for _, s := range story {
		if !t.Run(s.name, func(t *testing.T) { h.tell(t, s, kept) }) {
			return // the next request would ask for what is not there
		}
	}
	h.wantNowhere(t, secret)
}

func (h *house) tell(t *testing.T, s step, kept map[string]string) {
	r := request(s.client, s.method, fill(s.path, kept), fill(s.body, kept))
	for name, values := range s.header {
		r.Header.Del(name)
		for _, v := range values {
			if v != "none" {
				r.Header.Add(name, fill(v, kept))
			}
		}
	}
	before := len(h.store.facts)
	w := h.send(r)
	if w.Code != s.status {
		t.Fatalf("status %d, want %d: %s", w.Code, s.status, w.Body)
	}
	for name, want := range s.answerHeader {
		if got := w.Header().Get(name); got != fill(want, kept) {
			t.Errorf("%s: %q, want %q", name, got, fill(want, kept))
		}
	}
	if s.answer != "" {
		var want, got any
		for text, into := range map[string]*any{s.answer: &want, w.Body.String(): &got} {
			if err := json.Unmarshal([]byte(text), into); err != nil {
				t.Fatalf("%q: %v", text, err)
			}
		}
		if wrong := differs(want, got, "answer", kept); wrong != "" {
			t.Errorf("%s\nin %s", wrong, w.Body)
		}
	} else if w.Body.Len() > 0 && s.status < http.StatusBadRequest && s.status == http.StatusNoContent {
		t.Errorf("an answer, want none: %s", w.Body)
	}
	h.settle(t)
	h.clock.advance(1)
	var facts, want []string
	for _, f := range h.store.facts[before:] {
		facts = append(facts, say(f))
	}
	for _, f := range s.facts {
		want = append(want, fill(f, kept))
	}
	slices.Sort(facts) // of several people, in no order
	slices.Sort(want)
	if diff := gocmp.Diff(want, facts); diff != "" {
		t.Errorf("facts (-want +got):\n%s", diff)
	}
}

// differs returns how got is not what want says, or "".
func differs(want, got any, path string, kept map[string]string) string {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			return fmt.Sprintf("%s is %v, want an object", path, got)
		}
		names := slices.SortedFunc(maps.Keys(w), func(a, b string) int {
			return cmp.Or(-strings.Compare(fmt.Sprint(a == "id"), fmt.Sprint(b == "id")), strings.Compare(a, b)) // the id first: the others may name it
		})
		for _, name := range names {
			v := w[name]
			inner, there := g[name]
			if v == "$absent" {
				if there {
					return fmt.Sprintf("%s.%s is there: %v", path, name, inner)
				}
				continue
			}
			if wrong := differs(v, inner, path+"."+name, kept); wrong != "" {
				return wrong
			}
		}
		return ""
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return fmt.Sprintf("%s is %v, want a list of %d", path, got, len(w))
		}
		for i := range w {
			if wrong := differs(w[i], g[i], path+"["+strconv.Itoa(i)+"]", kept); wrong != "" {
				return wrong
			}
		}
		return ""
	case string:
		name, isName := strings.CutPrefix(w, "$")
		text, isText := got.(string)
		if _, bound := kept[name]; isName && isText && !bound && !strings.ContainsAny(name, " /") {
			kept[name] = text
			return ""
		}
		want = fill(w, kept)
	}
	if want != got {
		return fmt.Sprintf("%s is %v, want %v", path, got, want)
	}
	return ""
}

func fill(s string, kept map[string]string) string {
	for name, value := range kept {
		s = strings.ReplaceAll(s, "$"+name, value)
	}
	return s
}

func readStory(t testing.TB, file string) []step {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var story []step
	for _, part := range strings.Split("\n"+string(text), "\n== ")[1:] {
		s := step{client: "okta", header: http.Header{}, answerHeader: map[string]string{}}
		lines := strings.Split(part, "\n")
		s.name = lines[0]
		asked := true
		for _, line := range lines[1:] {
			if err := s.read(line, &asked); err != nil {
				t.Fatalf("%s: %s: %v", file, s.name, err)
			}
		}
		if s.method == "" || s.status == 0 {
			t.Fatalf("%s: %s: a step needs a request and a status", file, s.name)
		}
		story = append(story, s)
	}
	return story
}

func (s *step) read(line string, asked *bool) error {
	name, value, isHeader := strings.Cut(line, ": ")
	isHeader = isHeader && !strings.ContainsAny(name, " {\"")
	word, rest, _ := strings.Cut(line, " ")
	body := s.body != ""
	if !*asked {
		body = s.answer != ""
	}
	switch {
	case line == "" || strings.HasPrefix(line, "# ") && !body:
	case word == "->":
		*asked = false
		n, err := strconv.Atoi(rest)
		s.status = n
		return err
	case word == "~":
		s.facts = append(s.facts, rest)
	case *asked && !body && word == "as":
		s.client = rest
	case *asked && s.method == "":
		s.method, s.path = word, rest
	case isHeader && !body && *asked:
		s.header.Add(name, value)
	case isHeader && !body:
		s.answerHeader[name] = value
	case *asked:
		s.body += line + "\n"
	default:
		s.answer += line + "\n"
	}
	return nil
}

// wantNowhere fails the test when the text is anywhere that is kept.
func (h *house) wantNowhere(t *testing.T, text string) {
	t.Helper()
	for where, kept := range map[string]any{"resources": h.store.order, "facts": h.store.facts, "trail": h.store.trail, "jobs": h.store.jobs} {
		b, err := json.Marshal(kept)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte(text)) {
			t.Errorf("%s are kept with %q", where, text)
		}
	}
	for _, r := range h.store.order {
		if bytes.Contains(r.Body, []byte(text)) {
			t.Errorf("%s is kept with %q", r.ID, text)
		}
	}
	if strings.Contains(h.log.String(), text) {
		t.Errorf("the log has %q", text)
	}
}
