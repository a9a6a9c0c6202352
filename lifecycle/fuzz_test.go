package lifecycle_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"rolecall/lifecycle"
)

// follows are the arrows of the package's documentation, with what is not drawn
// there: what is open may be withdrawn, and what failed may be retried.
var follows = map[lifecycle.RequestState][]lifecycle.RequestState{
	lifecycle.Pending:  {lifecycle.Approved, lifecycle.Denied, lifecycle.Expired, lifecycle.Withdrawn},
	lifecycle.Approved: {lifecycle.Holding, lifecycle.Withdrawn},
	lifecycle.Holding:  {lifecycle.Withdrawn},
	lifecycle.Failed:   {lifecycle.Applying, lifecycle.Withdrawn},
}

// Every byte is something that somebody does to one request. Whatever they do,
// in whatever order, it has one outcome, moves only along the arrows, and each
// person counts once.
func FuzzRequest(f *testing.F) {
	f.Add(1, []byte{0, 1, 2, 3})
	f.Add(2, []byte{0, 0, 4, 8, 12, 16, 20})
	f.Add(0, []byte{7, 11, 250, 31})
	f.Fuzz(func(t *testing.T, needed int, acts []byte) {
		r := pending()
		r.Needed, r.State = needed, lifecycle.Pending
		now := monday
		for _, a := range acts {
			was := r
			now = now.Add(time.Minute)
			var err error
			if r, err = act(r, a, now); err != nil {
				r = refusedUnchanged(t, was, r, err)
				continue
			}
			if r.State != was.State && !slices.Contains(follows[was.State], r.State) {
				t.Fatalf("%s became %s", was.State, r.State)
			}
			if r.Revision != was.Revision+1 {
				t.Fatalf("revision %d became %d", was.Revision, r.Revision)
			}
			countsEachOnce(t, r)
		}
	})
}

func act(r lifecycle.Request, a byte, now time.Time) (lifecycle.Request, error) {
	who := []string{"marco", "ines", "ben", "priya", ""}[int(a>>3)%5]
	d := by(who, lifecycle.Approve, []string{"", "because"}[int(a>>6)%2])
	d.At = now
	switch a % 8 {
	case 0:
		return r.Decide(d)
	case 1:
		d.Verdict = lifecycle.Deny
		return r.Decide(d)
	case 2:
		d.Verdict = lifecycle.Verdict("perhaps")
		return r.Decide(d)
	case 3:
		d.ByID = ""
		return r.Decide(d)
	case 4:
		return r.Withdraw("superseded", now)
	case 5:
		return r.Undo("Marco", now)
	case 6:
		return r.Retry(now)
	default:
		return r.Expire(now)
	}
}

func refusedUnchanged(t *testing.T, was, is lifecycle.Request, err error) lifecycle.Request {
	t.Helper()
	if is.State != was.State || is.Revision != was.Revision || len(is.Decisions) != len(was.Decisions) || lifecycle.ReasonOf(err) == "" {
		t.Fatalf("refused with %v, and yet %s %d became %s %d", err, was.State, was.Revision, is.State, is.Revision)
	}
	return was
}

func countsEachOnce(t *testing.T, r lifecycle.Request) {
	t.Helper()
	people := map[lifecycle.IdentityID]bool{}
	for _, d := range r.Decisions {
		if people[d.ByID] || d.ByID == "" || d.ByID == r.Subject.ID || d.Verdict != lifecycle.Approve && d.Verdict != lifecycle.Deny {
			t.Fatalf("%q of %q counts", d.Verdict, d.ByID)
		}
		people[d.ByID] = true
	}
	if r.State == lifecycle.Approved && r.Approvals() < max(1, r.Needed) {
		t.Fatalf("approved by %d of %d", r.Approvals(), r.Needed)
	}
}

// A glob is what the regular expression of it is.
func FuzzGlob(f *testing.F) {
	for _, s := range [][2]string{{"sre*", "sre ii"}, {"*a*b", "ab"}, {"a*aa*a", "aaa"}, {"", ""}, {"**", "x"}, {"*ab", "abab"}} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, pattern, s string) {
		if !utf8.ValidString(pattern) || !utf8.ValidString(s) {
			t.Skip("the regular expression reads runes")
		}
		like := regexp.MustCompile(`(?s)\A` + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, `.*`) + `\z`)
		if got, want := lifecycle.Glob(pattern, s), like.MatchString(s); got != want {
			t.Errorf("Glob(%q, %q) = %t, want %t", pattern, s, got, want)
		}
	})
}
