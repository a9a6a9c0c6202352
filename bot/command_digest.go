package bot

import (
	"context"
	"slices"

	"rolecall/lifecycle"
)

// digest shows today's digest of whoever asks, now. It does not count as the
// one that is sent in the morning.
func (b *Bot) digest(ctx context.Context, who lifecycle.Identity, _ string) (message, error) {
	d, err := b.cfg.Digests.Compose(ctx, who.Person.Email())
	if err != nil {
		return message{}, err
	}
	if d.Empty() {
		return message{Text: "Nothing to tell today: nothing waits for you, and nothing is off."}, nil
	}
	return lines("*Your digest* of "+day(d.At, b.cfg.Location), b.digestLines(d), "The Home tab has the rest."), nil
}

func (b *Bot) digestLines(d lifecycle.Digest) []string {
	var all []string
	part := func(title string, of []string) {
		if len(of) > 0 {
			all = append(append(all, "*"+title+"*"), of...)
		}
	}
	var waiting, found, ending, done []string
	for _, r := range d.Waiting {
		waiting = append(waiting, "• "+requestLine(r)+" · "+b.stateWords(r))
	}
	for _, f := range d.Findings {
		found = append(found, b.findingLine(f))
	}
	for _, x := range d.Ending {
		ending = append(ending, "• "+foreign(x.Reason, lineLength)+" · until "+day(x.Until, b.cfg.Location))
	}
	for _, r := range d.Done {
		done = append(done, "• "+requestLine(r)+" · "+string(r.State))
	}
	part("Needs you", waiting)
	part("Findings", slices.Concat(tally(d.Findings), found))
	part("Exceptions ending", ending)
	part("Done since the last digest", done)
	return all
}
