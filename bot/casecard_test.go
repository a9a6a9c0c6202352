package bot

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"rolecall/lifecycle"
)

// asked is a case about Mina that nobody has answered.
func askedCase(kind lifecycle.CaseKind, options ...lifecycle.CaseOption) lifecycle.Case {
	return lifecycle.Case{
		ID: "cas_mina", Kind: kind, Revision: 1, Source: "scim:okta", Identity: "idn_mina", Label: "Mina Ito",
		Why:     "scim:okta says mina@acme.test is active. Mina Ito, who left on 2 April, had that address; it is reserved until 2 April 2027.",
		Options: options, OpenedAt: noon,
	}
}

var (
	optionMina  = lifecycle.CaseOption{Answer: "idn_mina", Label: "Mina Ito, mina@acme.test, E1042 at hris", Effect: "They become one person; what scim:okta says counts for her from then on"}
	optionNew   = lifecycle.CaseOption{Answer: lifecycle.AnswerNew, Label: "Somebody new", Effect: "A new person is made, with nothing of the former one's."}
	optionLeft  = lifecycle.CaseOption{Answer: lifecycle.AnswerLeft, Label: "They have left", Effect: "They are treated as a leaver: contained at once, then handed over, then deleted by a second decision."}
	optionStays = lifecycle.CaseOption{Answer: lifecycle.AnswerStays, Label: "They have not left", Effect: "They keep what they have."}
	optionBack  = lifecycle.CaseOption{Answer: lifecycle.AnswerBack, Label: "They are back", Effect: "A new spell begins, and they are planned as a joiner."}
)

func answeredCase(c lifecycle.Case, answer, reason string, via lifecycle.Via) lifecycle.Case {
	c.Revision, c.Answer, c.Reason, c.Via = 2, answer, reason, via
	c.By, c.ByID, c.AnsweredAt = "ines@acme.test", "idn_ines", noon.Add(time.Hour)
	return c
}

func manyOptions(n int) []lifecycle.CaseOption {
	var all []lifecycle.CaseOption
	for i := range n {
		all = append(all, lifecycle.CaseOption{Answer: fmt.Sprintf("PACC%d", i), Label: fmt.Sprintf("Mina Ito %d, mina+%d@acme.test, Responder", i, i), Effect: "This account is linked to her."})
	}
	return append(all, lifecycle.CaseOption{Answer: lifecycle.AnswerNone, Label: "None of these", Effect: "None of them is asked about again."})
}

// bad is what somebody would write who wants to look like the house.
const bad = "<!channel> *bold* _it_ `code` <https://evil.test|Approve> <@U0MARCO> :white_check_mark: ✅ Done \u202Eevil\u202C\n*Until then*  all is well & fine 👩‍🚒𝔘𝔫𝔦 שלום "

func tooMuch(n int) string { return strings.Repeat(bad, n/utf8.RuneCountInString(bad)+1) }

func caseCards() map[string]lifecycle.Case {
	person := askedCase(lifecycle.CasePerson, optionMina, optionNew)
	suspended := askedCase(lifecycle.CaseSuspended, optionLeft, optionStays)
	account := askedCase(lifecycle.CaseAccount, lifecycle.CaseOption{Answer: "PMINA", Label: "Mina Ito, mina.ito@acme.test, Responder", Effect: "This account is hers from now on."},
		lifecycle.CaseOption{Answer: lifecycle.AnswerNone, Label: "None of these", Effect: "They stay nobody's."})
	hostile := askedCase(lifecycle.CasePerson, manyOptions(130)...)
	hostile.Label, hostile.Why, hostile.Source = tooMuch(3000), tooMuch(3000), tooMuch(200)
	for i := range hostile.Options[:20] {
		hostile.Options[i].Label, hostile.Options[i].Effect = tooMuch(3000), tooMuch(3000)
	}
	moot := answeredCase(person, lifecycle.AnswerMoot, "scim:okta has taken the address back", "")
	moot.By = ""
	return map[string]lifecycle.Case{
		"person": person, "account": account, "suspended": suspended,
		"absent":           askedCase(lifecycle.CaseAbsent, optionLeft, optionStays),
		"return":           askedCase(lifecycle.CaseReturn, optionBack, lifecycle.CaseOption{Answer: lifecycle.AnswerStays, Label: "They are not", Effect: "They stay a leaver."}),
		"account_many":     askedCase(lifecycle.CaseAccount, manyOptions(7)...),
		"answered":         answeredCase(person, "idn_mina", "Same badge photo, and she told me", lifecycle.ViaSlack),
		"answered_cli":     answeredCase(suspended, lifecycle.AnswerStays, "", lifecycle.ViaCLI),
		"answered_unknown": answeredCase(account, "PGONE", "", lifecycle.ViaSlack),
		"moot":             moot,
		"hostile":          hostile,
		"hostile_answered": answeredCase(hostile, "PACC3", tooMuch(2000), lifecycle.ViaSlack),
	}
}

func TestCaseCards(t *testing.T) {
	t.Parallel()
	for name, c := range caseCards() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := caseMessage(c, testFrame())
			golden(t, "case/"+name+".txt", read(t, m))
			golden(t, "case/"+name+".json", encoded(t, m.Blocks))
			within(t, m)
			if text := string(read(t, m)); strings.ContainsAny(text, "✅✓✔☑") {
				t.Errorf("an answer is no change that was read back, and shows a tick:\n%s", text)
			}
		})
	}
}

func TestACaseTellsWithoutItsBlocks(t *testing.T) {
	t.Parallel()
	for name, c := range caseCards() {
		push := caseMessage(c, testFrame()).Text
		if wants := foreign(c.Label, maxName); !strings.Contains(push, wants) {
			t.Errorf("%s: push does not say whom it is about, %q: %s", name, wants, push)
		}
		if c.Open() && !strings.Contains(push, "silence answers nothing") {
			t.Errorf("%s: push does not say what silence does: %s", name, push)
		}
	}
}

func TestValuesOfCasesAndHoldsReadBack(t *testing.T) {
	t.Parallel()
	c := lifecycle.Case{ID: lifecycle.CaseIDFor(lifecycle.CasePerson, "x"), Revision: 7}
	for _, answer := range []string{"", "new", "idn_1", "P:odd"} {
		id, revision, got, err := decodeAnswer(encodeAnswer(c, answer))
		if err != nil || id != c.ID || revision != 7 || got != answer {
			t.Errorf("answer %q reads back as %s %d %q %v", answer, id, revision, got, err)
		}
	}
	h := lifecycle.Hold{ID: lifecycle.NewHoldID(), Revision: 3}
	if id, revision, err := decodeHold(encodeHold(h)); err != nil || id != h.ID || revision != 3 {
		t.Errorf("hold reads back as %s %d %v", id, revision, err)
	}
	for _, broken := range []string{"", "x", "cas_1", "cas_1:0:new", "cas_1:x:new", "req_1:1", "hld_1:1:2", "hld_:-1", "hld_1:" + strings.Repeat("1", 300), "cas_1:1:" + strings.Repeat("x", 300)} {
		if _, _, _, err := decodeAnswer(broken); lifecycle.ReasonOf(err) == "" {
			t.Errorf("%q is taken for an answer: %v", broken, err)
		}
		if _, _, err := decodeHold(broken); lifecycle.ReasonOf(err) == "" {
			t.Errorf("%q is taken for a hold: %v", broken, err)
		}
	}
}

func BenchmarkCaseCard(b *testing.B) {
	c, f := caseCards()["person"], testFrame()
	for b.Loop() {
		_ = caseMessage(c, f)
	}
}
