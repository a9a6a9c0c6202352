package lifecycle_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"rolecall/lifecycle"
)

// asks lets somebody put a question to the request as it stands.
func (h *house) asks(t *testing.T, r lifecycle.Request, name, text string) (lifecycle.Request, error) {
	t.Helper()
	return h.approvals().Ask(t.Context(), lifecycle.Inquiry{Request: r.ID, Seen: r.Revision, By: h.who(t, name), Text: text, Via: lifecycle.ViaSlack})
}

func (h *house) answers(t *testing.T, r lifecycle.Request, n int, name, text string) (lifecycle.Request, error) {
	t.Helper()
	return h.approvals().Reply(t.Context(), lifecycle.Reply{Request: r.ID, Question: n, By: h.who(t, name), Text: text, Via: lifecycle.ViaCLI})
}

func TestAQuestionIsAskedAndAnswered(t *testing.T) {
	t.Parallel()
	h, r := asking(t)
	asked, err := h.asks(t, r, "marco", " Why before her start? ")
	must(t, err)
	if q := asked.Questions[0]; q.Text != "Why before her start?" || q.By != "marco@acme.test" || q.To != "ben@acme.test" || !q.At.Equal(h.now()) {
		t.Errorf("it asks %+v", q)
	}
	if asked.State != lifecycle.Pending || !asked.DecideBy.Equal(r.DecideBy) || len(asked.Decisions) != 0 {
		t.Errorf("a question has decided something, or moved the deadline: %+v", asked)
	}
	answered, err := h.answers(t, r, 0, "ben", "The team asked me to.")
	must(t, err)
	if q := answered.Questions[0]; q.Answer != "The team asked me to." || q.AnsweredBy != "ben@acme.test" || q.AnsweredAt.IsZero() {
		t.Errorf("the answer is %+v", q)
	}
	if answered.Revision != r.Revision+2 {
		t.Errorf("revision is %d", answered.Revision)
	}
	for _, kind := range []lifecycle.EventKind{lifecycle.EventRequestAsked, lifecycle.EventRequestAnswered} {
		if n := h.trail(kind); n != 1 {
			t.Errorf("%s stands %d times on the record", kind, n)
		}
	}
	// A press on the card from before the question still counts.
	if is, err := h.press(t, r, "ines", lifecycle.Approve, ""); err != nil || is.State == lifecycle.Pending {
		t.Errorf("after the question it is %s, %v", is.State, err)
	}
}

func TestWhoIsAskedAQuestion(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		how  func(*testing.T, *house, *lifecycle.Request)
		want string
	}{
		"whom it is about": {want: "ben@acme.test"},
		"the manager of who has left": {func(t *testing.T, h *house, r *lifecycle.Request) {
			h.manages(t, "gus")
			r.Kind = lifecycle.RequestLeaver
		}, "gus@acme.test"},
		"nobody, when the asker is the manager": {func(t *testing.T, h *house, r *lifecycle.Request) {
			h.manages(t, "marco")
			r.Kind = lifecycle.RequestLeaver
		}, ""},
		"nobody, where nobody manages":   {func(_ *testing.T, _ *house, r *lifecycle.Request) { r.Kind = lifecycle.RequestLeaver }, ""},
		"nobody, about nobody's account": {func(_ *testing.T, _ *house, r *lifecycle.Request) { r.Subject.ID = "" }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, r := asking(t)
			if tt.how != nil {
				tt.how(t, h, &r)
			}
			got, err := h.approvals().AnsweredBy(t.Context(), r, h.who(t, "marco"))
			must(t, err)
			if got != tt.want {
				t.Errorf("asked is %q, want %q", got, tt.want)
			}
		})
	}
}

func TestWhatIsNoQuestion(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		how  func(*testing.T, *house, lifecycle.Request)
		who  string
		text string
		kind error
	}{
		"nothing":                      {who: "marco", text: " \n", kind: lifecycle.ErrInvalid},
		"a book":                       {who: "marco", text: strings.Repeat("é", 2001), kind: lifecycle.ErrInvalid},
		"of who may not decide":        {who: "omar", text: "Why?", kind: lifecycle.ErrForbidden},
		"of who may not, and is empty": {who: "omar", kind: lifecycle.ErrForbidden},
		"of the subject":               {who: "ben", text: "Why?", kind: lifecycle.ErrForbidden},
		"a second one of one person": {
			func(t *testing.T, h *house, r lifecycle.Request) {
				_, err := h.asks(t, r, "marco", "Why?")
				must(t, err)
			},
			"marco", "Why?", lifecycle.ErrDuplicate,
		},
		"after it was decided": {func(t *testing.T, h *house, r lifecycle.Request) { h.approve(t, r, "ines") }, "marco", "Why?", lifecycle.ErrConflict},
		"after the deadline":   {func(_ *testing.T, h *house, r lifecycle.Request) { h.pass(r.DecideBy.Sub(h.now())) }, "marco", "Why?", lifecycle.ErrConflict},
		"one too many": {
			func(t *testing.T, h *house, r lifecycle.Request) {
				for i := range 20 {
					_, err := h.asks(t, r, "marco", fmt.Sprint("Why ", i))
					must(t, err)
					_, err = h.answers(t, r, 0, "ben", "Because.")
					must(t, err)
				}
			}, "marco", "Why?", lifecycle.ErrConflict,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, r := asking(t)
			if tt.how != nil {
				tt.how(t, h, r)
			}
			before := len(h.request(t, r.ID).Questions)
			if _, err := h.asks(t, r, tt.who, tt.text); !errors.Is(err, tt.kind) || lifecycle.ReasonOf(err) == "" {
				t.Errorf("it is %v, want a refusal that is %v", err, tt.kind)
			}
			if n := len(h.request(t, r.ID).Questions); n != before {
				t.Errorf("%d questions, want %d", n, before)
			}
		})
	}
}

func TestARevisionThatDoesNotExistAsksNothing(t *testing.T) {
	t.Parallel()
	h, r := asking(t)
	r.Revision += 7
	if _, err := h.asks(t, r, "marco", "Why?"); !errors.Is(err, lifecycle.ErrConflict) {
		t.Errorf("it is %v", err)
	}
}

func TestWhoAnswers(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		to   string
		kind lifecycle.RequestKind
		who  string
		want error
	}{
		"whom it is asked of":                   {to: "ines@acme.test", who: "ines"},
		"the subject, whoever is asked":         {to: "ines@acme.test", who: "ben"},
		"not a subject who has left":            {to: "ines@acme.test", kind: lifecycle.RequestLeaver, who: "ben", want: lifecycle.ErrForbidden},
		"nobody else":                           {to: "ines@acme.test", who: "omar", want: lifecycle.ErrForbidden},
		"not who asks":                          {to: "ines@acme.test", who: "marco", want: lifecycle.ErrForbidden},
		"who may decide, where nobody is asked": {who: "ines"},
		"security, where nobody is asked":       {who: "priya"},
		"not anybody, where nobody is asked":    {who: "omar", want: lifecycle.ErrForbidden},
		"not a subject who has left, either":    {kind: lifecycle.RequestLeaver, who: "ben", want: lifecycle.ErrForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, r := asking(t)
			r.Revision++
			if tt.kind != "" {
				r.Kind = tt.kind
			}
			r.Questions = []lifecycle.Question{{By: "marco@acme.test", Text: "Why?", At: h.now(), To: tt.to}}
			must(t, h.store.SaveRequest(t.Context(), r, lifecycle.AuditEvent{At: h.now(), Kind: lifecycle.EventRequestAsked, Ref: string(r.ID)}))
			is, err := h.answers(t, r, 1, tt.who, "Because.")
			if !errors.Is(err, tt.want) {
				t.Fatalf("it is %v, want %v", err, tt.want)
			}
			if got := h.request(t, r.ID).Questions[0].Answer != ""; got != (tt.want == nil) {
				t.Errorf("answered: %v, by %+v", got, is.Questions)
			}
		})
	}
}

func TestAnAnswerIsGivenOnce(t *testing.T) {
	t.Parallel()
	h, r := asking(t)
	for n, want := range map[int]error{-1: lifecycle.ErrNotFound, 0: lifecycle.ErrNotFound, 1: lifecycle.ErrNotFound, 99: lifecycle.ErrNotFound} {
		if _, err := h.answers(t, r, n, "ben", "Because."); !errors.Is(err, want) {
			t.Errorf("question %d: %v", n, err)
		}
	}
	_, err := h.asks(t, r, "marco", "Why?")
	must(t, err)
	for _, text := range []string{"", "  ", strings.Repeat("é", 2001)} {
		if _, err := h.answers(t, r, 1, "ben", text); !errors.Is(err, lifecycle.ErrInvalid) {
			t.Errorf("%d characters: %v", len(text), err)
		}
	}
	ben := h.who(t, "ben")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			_, err := h.approvals().Reply(t.Context(), lifecycle.Reply{Request: r.ID, Question: 1, By: ben, Text: "Because.", Via: lifecycle.ViaSlack})
			if err != nil && !errors.Is(err, lifecycle.ErrDuplicate) && !errors.Is(err, lifecycle.ErrConflict) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := h.trail(lifecycle.EventRequestAnswered); n != 1 {
		t.Errorf("answered %d times", n)
	}
	_, err = h.asks(t, r, "marco", "And why now?")
	must(t, err)
	h.approve(t, r, "ines")
	if _, err := h.answers(t, r, 2, "ben", "Late."); !errors.Is(err, lifecycle.ErrConflict) {
		t.Errorf("an answer after the decision is %v", err)
	}
}
