package bot

import (
	"context"
	"fmt"

	"github.com/slack-go/slack"

	"rolecall/lifecycle"
)

// openPlan shows what approving would do, step by step, to whoever may read it.
func (b *Bot) openPlan(ctx context.Context, trigger string, id lifecycle.RequestID, by lifecycle.Identity) error {
	r, err := b.readable(ctx, id, by)
	if err != nil {
		return err
	}
	f, err := b.frameOf(ctx)
	if err != nil {
		return err
	}
	return b.openModal(ctx, trigger, planModal(r, f))
}

// planModal says of each step what PagerDuty is asked to do, what is looked at
// before, and whether it can be undone.
func planModal(r lifecycle.Request, f frame) slack.ModalViewRequest {
	m := cardMaker{frame: f, r: r}
	blocks := []slack.Block{section("*Before the first step*\n" + m.before())}
	lines := make([]string, len(r.Changes))
	for i, c := range r.Changes {
		lines[i] = fmt.Sprintf("*%d. %s*%s\n%s\n%s", i+1, capital(changeWords(c)), stepState(c), asksPagerDuty(r, c), undoes(c))
	}
	if len(lines) > listMost {
		lines = append(lines[:listMost], fmt.Sprintf("and %d more: `rolecall request show %s`", len(lines)-listMost, r.ID))
	}
	blocks = append(blocks, paragraphs(lines)...)
	blocks = append(blocks, contextLine("Each step is read back from PagerDuty before the next one, and the card is done only then. What fails stops the rest, and the card says what stands."))
	if banner := m.banner(); banner != "" {
		blocks = append(blocks, contextLine(banner))
	}
	v := threadModal(ModalPlan, "Plan", "", "", m, blocks...)
	v.Close = plainText("Close", maxTitle)
	return v
}

// before says what is looked at before anything is changed.
func (m cardMaker) before() string {
	words := "The account, its roles, its on-call and its open incidents are read again. If anything that this rests on has moved, nothing is done and you are asked again."
	if hold := m.p.HoldFor(m.r); hold > 0 && !m.r.Observe {
		words = "After the last approval it waits " + span(hold) + ", and can be undone with one press. Then: " + words
	}
	return words
}

func stepState(c lifecycle.Change) string {
	switch c.State {
	case lifecycle.ChangeVerified:
		return " · done"
	case lifecycle.ChangeFailed:
		return " · failed"
	case lifecycle.ChangeApplied:
		return " · sent"
	case lifecycle.ChangePlanned:
		return ""
	default:
		return ""
	}
}

// asksPagerDuty says what PagerDuty is asked to do.
func asksPagerDuty(r lifecycle.Request, c lifecycle.Change) string {
	who, e := foreign(r.Subject.Label(), maxName), c.Entitlement
	switch {
	case c.Op == lifecycle.OpHandover && c.To == lifecycle.NoSuccessor:
		return "PagerDuty is asked to take " + who + " out there, and to leave everybody else where they are."
	case c.Op == lifecycle.OpHandover:
		return "PagerDuty is asked to put somebody else in the place of " + who + ", and to leave everybody else where they are."
	case c.Op == lifecycle.OpDelete:
		return "PagerDuty is asked to delete the account of " + who + "."
	case c.Op == lifecycle.OpCreate:
		return "PagerDuty is asked to make an account for " + who + " and to invite them."
	case e.Kind == lifecycle.KindSession && e.Role == lifecycle.SessionCalendar:
		return "PagerDuty is asked for a new calendar feed, so that the old address shows nothing."
	case e.Kind == lifecycle.KindSession:
		return "PagerDuty is asked to end every web and mobile session of " + who + "."
	case e.Kind == lifecycle.KindTeamRole && c.To == "":
		return "PagerDuty is asked to take " + who + " off the team " + teamName(e.Team) + "."
	case e.Kind == lifecycle.KindTeamRole:
		return "PagerDuty is asked to have " + who + " on the team " + teamName(e.Team) + " as " + foreign(c.To, maxTeam) + "."
	default:
		return "PagerDuty is asked to give " + who + " the base role " + roleWords(c.To) + "."
	}
}

// undoes says whether a step can be taken back.
func undoes(c lifecycle.Change) string {
	switch {
	case c.Op == lifecycle.OpDelete:
		return "Cannot be undone: a deletion is final. What goes with it is written down first."
	case c.Op == lifecycle.OpCreate:
		return "Undoing does not delete the account."
	case c.Entitlement.Kind == lifecycle.KindSession:
		return "Cannot be undone: they sign in again."
	case c.Op == lifecycle.OpHandover:
		return "Can be undone: what stood before is kept."
	default:
		return "Can be undone with the button on the card."
	}
}
