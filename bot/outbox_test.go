package bot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slack-go/slack"

	"rolecall/bot/slacktest"
	"rolecall/lifecycle"
)

// script answers the calls of one method, in order; the last answer stays.
type script struct {
	mu      sync.Mutex
	answers map[string][]func() (*http.Response, error)
	calls   map[string][]time.Time
	texts   []string
}

func newScript() *script {
	return &script{answers: map[string][]func() (*http.Response, error){}, calls: map[string][]time.Time{}}
}

func (s *script) RoundTrip(req *http.Request) (*http.Response, error) {
	method := req.URL.Path[strings.LastIndexByte(req.URL.Path, '/')+1:]
	if err := req.ParseForm(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.calls[method] = append(s.calls[method], time.Now())
	s.texts = append(s.texts, req.PostForm.Get("text"))
	next := s.answers[method]
	if len(next) > 1 {
		s.answers[method] = next[1:]
	}
	s.mu.Unlock()
	if len(next) == 0 {
		return answer(200, `{"ok":true,"channel":"C1","ts":"1.000001"}`)()
	}
	return next[0]()
}

func (s *script) times(method string) []time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[method]
}

func answer(status int, body string, header ...string) func() (*http.Response, error) {
	return func() (*http.Response, error) {
		h := http.Header{}
		for i := 0; i+1 < len(header); i += 2 {
			h.Set(header[i], header[i+1])
		}
		return &http.Response{StatusCode: status, Status: http.StatusText(status), Header: h, Body: io.NopCloser(strings.NewReader(body))}, nil
	}
}

func broken() (*http.Response, error) { return nil, errors.New("connection reset") }

func scripted(t *testing.T, s *script) *outbox {
	t.Helper()
	o, err := newOutbox(Config{
		Secrets: Secrets{BotToken: "xoxb-test"}, Client: &http.Client{Transport: s, Timeout: time.Minute},
		Store: newLedger(), Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestChannelGetsOneMessageASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newScript()
		o := scripted(t, s)
		start := time.Now()
		for range 10 {
			if _, _, err := o.post(t.Context(), "C1", "", message{Text: "x"}); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took < 7*time.Second || took > 8*time.Second {
			t.Errorf("ten messages took %s, want 7 s: a burst of three, then one a second", took)
		}
	})
}

func TestNoMethodExceedsItsTierInAnyMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newScript()
		o := scripted(t, s)
		for i := range 160 {
			if err := o.update(t.Context(), fmt.Sprint("C", i), "1.1", message{Text: "x"}); err != nil {
				t.Fatal(err)
			}
		}
		at := s.times("chat.update")
		for i := range at {
			if j := i + tier3; j < len(at) && at[j].Sub(at[i]) < time.Minute {
				t.Fatalf("%d edits within %s", tier3+1, at[j].Sub(at[i]))
			}
		}
		if took := time.Since(at[0]); took > 4*time.Minute {
			t.Errorf("160 edits took %s: far slower than Slack allows", took)
		}
	})
}

func TestRetryAfterIsHonoured(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newScript()
		s.answers["chat.postMessage"] = []func() (*http.Response, error){answer(429, "", "Retry-After", "7"), answer(200, `{"ok":true,"channel":"C1","ts":"1.1"}`)}
		o := scripted(t, s)
		if _, _, err := o.post(t.Context(), "C1", "", message{Text: "x"}); err != nil {
			t.Fatal(err)
		}
		at := s.times("chat.postMessage")
		if len(at) != 2 || at[1].Sub(at[0]) != 7*time.Second {
			t.Errorf("called at %v, want twice, 7 s apart", at)
		}
	})
}

func TestLongRetryAfterGoesBackToTheQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newScript()
		s.answers["chat.postMessage"] = []func() (*http.Response, error){answer(429, "", "Retry-After", "90")}
		o := scripted(t, s)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		start := time.Now()
		_, _, err := o.post(ctx, "C1", "", message{Text: "x"})
		job, ok := asJobError(err)
		if !ok || job.RetryAfter < 80*time.Second || time.Since(start) > time.Second {
			t.Errorf("got %v after %s, want to be asked again in 90 s, at once", err, time.Since(start))
		}
	})
}

func TestUrgentCallsDoNotWaitBehindBulk(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newScript()
		s.answers["views.open"] = []func() (*http.Response, error){answer(200, `{"ok":true,"view":{}}`)}
		s.answers["chat.postMessage"] = []func() (*http.Response, error){answer(429, "", "Retry-After", "20"), answer(200, `{"ok":true,"channel":"C1","ts":"1.1"}`)}
		o := scripted(t, s)
		var bulk sync.WaitGroup
		for i := range 100 {
			bulk.Go(func() {
				_, _, err := o.post(t.Context(), "C1", "", message{Text: "x"})
				err = errors.Join(err, o.update(t.Context(), fmt.Sprint("C", i), "1.1", message{Text: "x"}))
				if err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		start := time.Now()
		err := errors.Join(o.openView(t.Context(), "trigger", slack.ModalViewRequest{}), o.ephemeral(t.Context(), "C1", "U1", "", "no"),
			o.respond(t.Context(), "https://hooks.slack.com/commands/1", "no", nil))
		if took := time.Since(start); err != nil || took > 0 {
			t.Errorf("a person waited %s (%v)", took, err)
		}
		bulk.Wait()
	})
}

func TestOnePersonsAnswerDoesNotWaitForAnothers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := scripted(t, newScript())
		start := time.Now()
		for i := range 50 { // each command brings a URL of its own
			if err := o.respond(t.Context(), fmt.Sprint("https://hooks.slack.com/commands/", i), "help", nil); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took > 0 {
			t.Errorf("the last of fifty waited %s", took)
		}
	})
}

func TestOrderOfOneChannelIsKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newScript()
		s.answers["chat.postMessage"] = []func() (*http.Response, error){answer(429, "", "Retry-After", "3"), answer(200, `{"ok":true,"channel":"C1","ts":"1.1"}`)}
		o := scripted(t, s)
		var all sync.WaitGroup
		for i := range 5 {
			all.Go(func() {
				if _, _, err := o.post(t.Context(), "C1", "", message{Text: fmt.Sprint(i)}); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait() // it has taken its place
		}
		all.Wait()
		if got := strings.Join(s.texts, ""); got != "001234" {
			t.Errorf("sent in the order %s, want 0 again and then 1234", got)
		}
	})
}

func TestWhatMayBeRepeated(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		method string
		call   func(*outbox, context.Context) error
		tries  int
	}{
		"a message is sent once": {"chat.postMessage", func(o *outbox, ctx context.Context) error {
			_, _, err := o.post(ctx, "C1", "", message{Text: "x"})
			return err
		}, 1},
		"a private line is sent once": {"chat.postEphemeral", func(o *outbox, ctx context.Context) error { return o.ephemeral(ctx, "C1", "U1", "", "x") }, 1},
		"a modal is opened once":      {"views.open", func(o *outbox, ctx context.Context) error { return o.openView(ctx, "t", slack.ModalViewRequest{}) }, 1},
		"an edit is repeated":         {"chat.update", func(o *outbox, ctx context.Context) error { return o.update(ctx, "C1", "1.1", message{Text: "x"}) }, callTries},
		"a question is repeated":      {"users.info", func(o *outbox, ctx context.Context) error { _, err := o.userInfo(ctx, "U1"); return err }, callTries},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, trouble := range []func() (*http.Response, error){broken, answer(502, "<html>")} {
				synctest.Test(t, func(t *testing.T) {
					s := newScript()
					s.answers[tt.method] = []func() (*http.Response, error){trouble}
					if err := tt.call(scripted(t, s), t.Context()); err == nil {
						t.Error("a failure passed for success")
					}
					sameCount(t, "tries", len(s.times(tt.method)), tt.tries)
				})
			}
		})
	}
}

func TestResponseURLMustBeSlacks(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	box := d.out(t).box
	for _, bad := range []string{"https://evil.test/commands/1", "https://hooks.slack.com.evil.test/x", "http://hooks.slack.com/x", "https://hooks.slack.com@evil.test/x", "file:///etc/passwd", "%"} {
		if err := box.respond(t.Context(), bad, "secret", nil); err == nil {
			t.Errorf("answered at %s", bad)
		}
	}
	sameCount(t, "calls", len(d.Calls("response_url")), 0)
}

func TestResponseArrives(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	out := d.command(t)
	box := d.out(t).box
	if err := box.respond(t.Context(), out.ResponseURL, "only for you", []slack.Block{section("only for *you*")}); err != nil {
		t.Fatal(err)
	}
	wants(t, texts(d.Ephemerals("U0MARCO")), "only for *you*")
	bad := []slack.Block{slack.NewSectionBlock(slack.NewTextBlockObject("mrkdwn", "", false, false), nil, nil)}
	if err := box.respond(t.Context(), out.ResponseURL, "in plain words", bad); err != nil {
		t.Fatal(err)
	}
	wants(t, texts(d.Ephemerals("U0MARCO")), "in plain words")
	sameCount(t, "lines on record", d.store.count(lifecycle.EventCardFailed), 1)
}

// command types a command that nobody answers, for its response URL.
func (d *desk) command(t *testing.T) slacktest.Outcome {
	t.Helper()
	out, err := d.Command(t.Context(), "U0MARCO", "C0PAYMENTS", "/rolecall", "inbox")
	if !errors.Is(err, slacktest.ErrUnreachable) && !errors.Is(err, slacktest.ErrNotAcknowledged) {
		t.Fatalf("got %v, want nobody to answer", err)
	}
	return out
}

func TestOutboxRefusesBadConfig(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]Config{
		"no token":        {},
		"no slash at end": {Secrets: Secrets{BotToken: "xoxb-1"}, APIURL: "https://slack.com/api"},
	} {
		if _, err := newOutbox(cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
