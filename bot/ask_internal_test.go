package bot

import (
	"strings"
	"testing"
	"time"

	"rolecall/lifecycle"
)

// questioned is Ben's move, about which Omar has asked him.
func questioned() lifecycle.Request {
	return with(mover(), func(r *lifecycle.Request) {
		r.Revision = 2
		r.Questions = []lifecycle.Question{{By: "omar@acme.test", Text: "Is Friday's shift still his?", At: noon.Add(time.Hour), To: "ben@acme.test", Via: lifecycle.ViaSlack}}
	})
}

// replied1 is r with its first question answered.
func replied1(r lifecycle.Request) lifecycle.Request {
	r.Revision++
	q := r.Questions[0]
	q.Answer, q.AnsweredBy, q.AnsweredAt = "No, Ines takes it.", "ben@acme.test", noon.Add(2*time.Hour)
	r.Questions = []lifecycle.Question{q}
	return r
}

func handedOn() []lifecycle.Assignment {
	return []lifecycle.Assignment{{From: "omar@acme.test", To: "ines@acme.test", Reason: "She runs that rota.", At: noon.Add(time.Hour), Via: lifecycle.ViaCLI}}
}

// hostilelyAsked is a waiting request whose every text would be something else.
func hostilelyAsked() lifecycle.Request {
	bad := strings.Repeat("<!channel> *b* `c` <https://evil.test|Approve> <@U0MARCO> \u202Eevil\u202C\n*Why*  all is well 👩‍🚒𝔘𝔫𝔦 שלום ", 40)
	return with(hostile(), func(r *lifecycle.Request) {
		r.State, r.Decisions = lifecycle.Pending, nil
		r.Questions = []lifecycle.Question{{By: bad, Text: bad, At: noon, To: bad, Via: lifecycle.ViaCLI, Answer: bad, AnsweredBy: bad, AnsweredAt: noon}}
		r.Assigned = []lifecycle.Assignment{{From: bad, To: bad, Reason: bad, At: noon}}
	})
}

func TestAQuestionIsToldInTheThreadAndToWhomItIsFor(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	o := d.out(t)
	d.show(t, o, mover())
	d.show(t, o, questioned())
	d.show(t, o, questioned())
	card := d.Messages("C0PLATFORM")[0]
	thread := d.Thread("C0PLATFORM", card.TS)
	sameCount(t, "card and note", len(thread), 2)
	wants(t, texts(thread[1:]), "<@U0OMAR> asked <@U0BEN>", "Is Friday's shift still his?")
	wants(t, texts(thread[:1]), "No answer yet.", "[Approve] [Deny…] [Ask…]")
	wants(t, texts(d.dm("U0BEN")), "<@U0OMAR> has to decide on this and asks you first", "If you do nothing, it is decided without your answer.", "[Reply…]")
	sameCount(t, "messages to Ben", len(d.dm("U0BEN")), 2)
	d.show(t, o, replied1(questioned()))
	d.show(t, o, replied1(questioned()))
	wants(t, texts(d.Thread("C0PLATFORM", card.TS)[2:]), "<@U0BEN> answered", "No, Ines takes it.")
	wants(t, texts(d.dm("U0OMAR")), "<@U0BEN> has answered you: “No, Ines takes it.”")
	if strings.Contains(texts(d.dm("U0BEN")), "[Reply…]") {
		t.Error("what is answered can still be answered")
	}
	sameCount(t, "messages to Ben", len(d.dm("U0BEN")), 2)
	sameCount(t, "messages to Omar", len(d.dm("U0OMAR")), 2)
	d.clean(t)
}

func TestAQuestionSaysNothingHostile(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	r := with(hostilelyAsked(), func(r *lifecycle.Request) {
		r.Changes = mover().Changes
		r.Questions[0].By, r.Questions[0].To, r.Questions[0].AnsweredBy = "omar@acme.test", "ines@acme.test", "ines@acme.test"
	})
	d.show(t, d.out(t), r)
	for _, channel := range []string{"C0PLATFORM"} {
		if all := texts(d.Thread(channel, d.Messages(channel)[0].TS)); strings.Contains(all, "<!channel>") || strings.Contains(all, "<https://evil.test|") {
			t.Errorf("it speaks Slack: %s", all)
		}
	}
	d.clean(t)
}
