package pagerdutytest_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

func TestRefusalsComeInManyShapes(t *testing.T) {
	t.Parallel()
	want := map[pagerdutytest.Shape]string{
		pagerdutytest.ErrorsList: `{"error":{"code":2001,"errors":["Name is bad"],"message":"Invalid Input Provided"}}`,
		pagerdutytest.ErrorsText: `{"error":{"code":2001,"errors":"Name is bad","message":"Invalid Input Provided"}}`,
		pagerdutytest.ErrorsMap:  `{"error":{"code":2001,"errors":{"Name":["is bad"]},"message":"Invalid Input Provided"}}`,
		pagerdutytest.NoErrors:   `{"error":{"code":2001,"message":"Name is bad"}}`,
		pagerdutytest.ErrorList:  `{"error":["Name is bad"]}`,
		pagerdutytest.ErrorText:  `{"error":"Name is bad"}`,
		pagerdutytest.PlainText:  `Name is bad`,
		pagerdutytest.Page:       `<html><head><title>Bad Request</title></head><body>Name is bad</body></html>`,
		pagerdutytest.Nothing:    ``,
		pagerdutytest.ScopeText:  `{"error":{"message":"Token missing required scopes","required_scopes":"Name is bad","token_scopes":""}}`,
	}
	got := map[pagerdutytest.Shape]string{}
	a := pagerdutytest.New(pagerdutytest.Config{Token: key})
	for _, s := range pagerdutytest.Shapes() {
		a.Fail(pagerdutytest.Fault{Kind: pagerdutytest.Refuses(400, 2001, "Name is bad", s)})
		w := ask(t, a, "GET", "/users", "")
		if w.Code != 400 {
			t.Errorf("%s answers %d, want 400", s, w.Code)
		}
		got[s] = w.Body.String()
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Whatever befalls the second write, the first and the third are as always, and what is said about the effect is so.
func TestDisastersBefallTheNthWrite(t *testing.T) {
	t.Parallel()
	for _, d := range pagerdutytest.Disasters() {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			a, url := start(t, pagerdutytest.Config{})
			ids := populate(a, 3)
			a.FailWrite(2, d.Kind)
			var told []bool
			for _, id := range ids {
				if _, _, _, err := send(t.Context(), "GET", url+"/users/"+id, ""); err != nil {
					t.Errorf("reading is struck too: %v", err)
				}
				status, _, _, err := send(t.Context(), "DELETE", url+"/users/"+id, "")
				told = append(told, err == nil && status == 204)
			}
			if diff := cmp.Diff([]bool{true, false, true}, told); diff != "" {
				t.Errorf("told of success (-want +got):\n%s", diff)
			}
			if u, _ := a.User(ids[1]); u.DeletedAt.IsZero() == d.Done {
				t.Errorf("it took effect: %v, want %v", !u.DeletedAt.IsZero(), d.Done)
			}
			if left := a.Armed(); len(left) > 0 {
				t.Errorf("still armed: %v", left)
			}
		})
	}
}

// A test that fails every step in turn knows that it is through when what it armed did not strike.
func TestAWriteThatIsNotMadeLeavesItsDisasterArmed(t *testing.T) {
	t.Parallel()
	a := pagerdutytest.New(pagerdutytest.Config{Token: key})
	populate(a, 1)
	a.FailWrite(1, pagerdutytest.LostAnswer())
	ask(t, a, "GET", "/users", "")
	ask(t, a, "POST", "/analytics/raw/users", `{}`)
	if left := a.Armed(); len(left) != 1 {
		t.Errorf("armed: %v, want one that waits for a write", left)
	}
}

func TestAnAnswerThatBrokeOffIsNoAnswer(t *testing.T) {
	t.Parallel()
	a, url := start(t, pagerdutytest.Config{})
	populate(a, 3)
	a.Fail(pagerdutytest.Fault{Path: "/users", Kind: pagerdutytest.CutAnswer()})
	if _, _, body, err := send(t.Context(), "GET", url+"/users", ""); !errors.Is(err, io.ErrUnexpectedEOF) || body == "" {
		t.Errorf("got %q and %v, want half of it and an unexpected end", body, err)
	}
}

func TestOnlyWhatDoesNothingCanComeLate(t *testing.T) {
	t.Parallel()
	defer func() {
		if got := fmt.Sprint(recover()); got != "pagerdutytest: lost answer cannot come late" {
			t.Errorf("panic is %q, want that it cannot come late", got)
		}
	}()
	pagerdutytest.Late(pagerdutytest.LostAnswer())
}
