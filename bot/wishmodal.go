package bot

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"rolecall/lifecycle"
)

const (
	untilDay   = "day" // the choice of a date, among those of durations
	groupMost  = 100   // options of one group, by Slack's limit; as many groups may be
	withoutMax = 5     // lines that say what cannot be asked for
)

// spans are how long something can be asked for at a click.
func spans() []string { return []string{"4h", "8h", "1d", "7d"} }

// wishModal asks what somebody needs, until when, and why.
func wishModal(menu lifecycle.Menu, said saidWish, f frame) slack.ModalViewRequest {
	why := slack.NewPlainTextInputBlockElement(nil, InputReason)
	why.Multiline, why.MaxLength, why.InitialValue = true, maxReason, clip(said.Why, maxReason)
	incident := slack.NewPlainTextInputBlockElement(plainText("INC-123", maxButton), InputIncident)
	incident.MaxLength = 200
	blocks := []slack.Block{section("Whoever owns it decides. It ends by itself: then you are back to what you hold now.")}
	if f.mode == lifecycle.Observe {
		blocks = append(blocks, contextLine(observing))
	}
	blocks = append(blocks, slack.NewInputBlock(InputRole, plainText("Role", maxButton), nil, roleSelect(menu, said)))
	if len(menu.Teams) > 0 {
		blocks = append(blocks, slack.NewInputBlock(InputTeam, plainText("Team", maxButton), plainText("Leave it empty for a base role of the account.", maxButton), teamSelect(menu, said)).WithOptional(true))
	}
	day := slack.NewDatePickerBlockElement(InputUntil)
	day.InitialDate = said.Day
	blocks = append(blocks,
		slack.NewInputBlock(InputFor, plainText("How long", maxButton), nil, spanSelect(menu, said)),
		slack.NewInputBlock(InputUntil, plainText("Last day", maxButton), plainText("Only where you chose a date. At most "+span(menu.Longest)+" from now.", maxButton), day).WithOptional(true),
		slack.NewInputBlock(InputReason, plainText("Why", maxButton), plainText("Whoever decides reads it. It goes on the record.", maxButton), why),
		slack.NewInputBlock(InputIncident, plainText("Incident", maxButton), plainText("Its number or address, if that is why.", maxButton), incident).WithOptional(true))
	if len(menu.Without) > 0 {
		lines := make([]string, len(menu.Without))
		for i, w := range menu.Without {
			lines[i] = foreign(w, maxPhrase)
		}
		blocks = append(blocks, contextLine("Left out: "+packLines(lines, withoutMax, func(left int) string { return fmt.Sprintf("and %d more", left) })))
	}
	return slack.ModalViewRequest{
		Type: slack.VTModal, CallbackID: ModalWish, Title: plainText("Request access", maxTitle), Submit: plainText("Request", maxTitle), Close: plainText("Cancel", maxTitle),
		Blocks: slack.Blocks{BlockSet: blocks},
	}
}

// roleSelect offers the roles on teams and the base roles, apart: three words are
// both, and mean different things.
func roleSelect(menu lifecycle.Menu, said saidWish) *slack.SelectBlockElement {
	var onTeam, base []*slack.OptionBlockObject
	for _, r := range []lifecycle.TeamRole{lifecycle.TeamObserver, lifecycle.TeamResponder, lifecycle.TeamManager} {
		if anyTeam(menu, r) {
			onTeam = append(onTeam, wishOption(string(r), capital(string(r))+" on a team", ""))
		}
	}
	for _, r := range menu.Base {
		base = append(base, wishOption(baseRolePrefix+string(r), r.String(), "base role"))
	}
	menuOf := slack.NewOptionsGroupSelectBlockElement(slack.OptTypeStatic, plainText("Choose", maxOption), InputRole)
	for _, g := range []struct {
		label   string
		options []*slack.OptionBlockObject
	}{{"On one team", onTeam}, {"In the whole account", base}} {
		if len(g.options) > 0 {
			menuOf.OptionGroups = append(menuOf.OptionGroups, slack.NewOptionGroupBlockElement(plainText(g.label, maxButton), g.options...))
			menuOf.InitialOption = pickedOf(menuOf.InitialOption, g.options, said.Role)
		}
	}
	return menuOf
}

func anyTeam(menu lifecycle.Menu, r lifecycle.TeamRole) bool {
	for _, t := range menu.Teams {
		for _, has := range t.Roles {
			if has == r {
				return true
			}
		}
	}
	return false
}

// teamSelect offers the teams, in groups where there are more than Slack takes in one.
func teamSelect(menu lifecycle.Menu, said saidWish) *slack.SelectBlockElement {
	options := make([]*slack.OptionBlockObject, 0, len(menu.Teams))
	for _, t := range menu.Teams {
		holds := "you are not on it"
		if t.Holds != "" {
			holds = "you are " + string(t.Holds) + " there"
		}
		options = append(options, wishOption(string(t.Team.ID), t.Team.Name, holds))
	}
	menuOf := slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, plainText("No team", maxOption), InputTeam, options...)
	if len(options) > groupMost {
		menuOf.Options = nil
		for from := 0; from < min(len(options), groupMost*groupMost); from += groupMost {
			part := options[from:min(from+groupMost, len(options))]
			label := clip(part[0].Text.Text, 30) + " to " + clip(part[len(part)-1].Text.Text, 30)
			menuOf.OptionGroups = append(menuOf.OptionGroups, slack.NewOptionGroupBlockElement(plainText(label, maxButton), part...))
		}
	}
	menuOf.InitialOption = pickedOf(nil, options, said.Team)
	return menuOf
}

// spanSelect offers how long it may last, as far as the policy lets it.
func spanSelect(menu lifecycle.Menu, said saidWish) *slack.SelectBlockElement {
	var options []*slack.OptionBlockObject
	initial := ""
	for _, s := range spans() {
		if d := spanSaid(s); d <= menu.Longest {
			options = append(options, wishOption(s, span24(d), ""))
			if d == said.For {
				initial = s
			}
		}
	}
	if said.For > 0 && initial == "" && said.For <= menu.Longest {
		initial = fmt.Sprintf("%dh", said.For/time.Hour)
		options = append(options, wishOption(initial, span24(said.For), ""))
	}
	options = append(options, wishOption(untilDay, "Until a date", ""))
	if said.Day != "" {
		initial = untilDay
	}
	menuOf := slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, plainText("Choose", maxOption), InputFor, options...)
	menuOf.InitialOption = pickedOf(nil, options, initial)
	return menuOf
}

// span24 says whole days as days: "1 day", and not "24 hours".
func span24(d time.Duration) string {
	if d == 24*time.Hour {
		return "1 day"
	}
	return span(d)
}

// wishOption is one choice of a menu; what it is called is shown as it is.
func wishOption(value, label, more string) *slack.OptionBlockObject {
	o := slack.NewOptionBlockObject(value, plainText(plain(label), maxOption), nil)
	if more != "" {
		o.Description = plainText(plain(more), maxOption)
	}
	return o
}

// pickedOf returns the option of that value among the options, else was.
func pickedOf(was *slack.OptionBlockObject, options []*slack.OptionBlockObject, value string) *slack.OptionBlockObject {
	for _, o := range options {
		if value != "" && o.Value == value {
			return o
		}
	}
	return was
}

func asRefusal(err error) (*lifecycle.Refusal, bool) { return errors.AsType[*lifecycle.Refusal](err) }

func aboutRequest(id lifecycle.RequestID) slog.Attr {
	return slog.String("request", strings.TrimSpace(string(id)))
}
