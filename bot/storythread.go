package bot

import (
	"cmp"
	"slices"
	"time"

	"rolecall/lifecycle"
)

// told tells what people have said and done about the request, in the order in
// which they did, a line each.
func (b *Bot) told(r lifecycle.Request) []string {
	type saying struct {
		at    time.Time
		words string
	}
	var all []saying
	add := func(at time.Time, words string) { all = append(all, saying{at, words}) }
	who := func(email string) string { return "*" + foreign(email, maxName) + "*" }
	for _, d := range r.Decisions {
		add(d.At, b.decisionWords(r, d))
	}
	for _, q := range r.Questions {
		add(q.At, who(q.By)+" asked "+cmp.Or(foreign(q.To, maxName), "in the thread")+": “"+foreign(q.Text, maxPhrase)+"”")
		if q.Answer != "" {
			add(q.AnsweredAt, who(q.AnsweredBy)+" answered: “"+foreign(q.Answer, maxPhrase)+"”")
		}
	}
	for _, a := range r.Assigned {
		add(a.At, who(a.From)+" handed it to "+who(a.To)+": “"+foreign(a.Reason, maxPhrase)+"”")
	}
	if !r.Nudged.IsZero() {
		add(r.Nudged, who(r.Subject.Email)+" had those who decide reminded.")
	}
	slices.SortStableFunc(all, func(x, y saying) int { return x.at.Compare(y.at) })
	lines := make([]string, 0, len(all)+len(r.Snoozed))
	for _, s := range all {
		lines = append(lines, b.at(s.at)+" "+s.words)
	}
	for _, s := range r.Snoozed {
		lines = append(lines, "· "+who(s.By)+" put it off until "+moment(s.Until, b.cfg.Location)+".")
	}
	return lines
}
