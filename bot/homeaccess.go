package bot

import (
	"github.com/slack-go/slack"

	"rolecall/lifecycle"
)

// How much of what somebody holds their Home tab lists.
const (
	homeAccess = 20
	homeGrants = 3 // that can be given back there
)

// holdings says what the viewer holds, why, and until when.
func (d homeData) holdings() []string {
	s := d.Standing
	if len(s.Access) == 0 {
		return []string{"*You hold*  " + accountWords(s.Account)}
	}
	lines := make([]string, len(s.Access))
	for i, a := range s.Access {
		lines[i] = "• " + entitlementWords(a.Entitlement) + " — " + foreign(a.Why, maxPhrase)
		if !a.Until.IsZero() {
			lines[i] += " · until " + moment(a.Until, d.loc)
		}
	}
	return []string{"*You hold*\n" + packLines(lines, homeAccess, seeMore("`"+Command+" status`"))}
}

// entitlementWords says a base role by both its names, and a role on a team.
func entitlementWords(e lifecycle.Entitlement) string {
	if e.Kind == lifecycle.KindBaseRole {
		return roleWords(e.Role)
	}
	return teamName(e.Team) + ": " + foreign(e.Role, maxTeam)
}

// mine are the buttons with which the viewer asks for access, and gives back what
// they were given for a time.
func (d homeData) mine() []slack.Block {
	if d.p.Defaults.Ask.Off {
		return nil
	}
	blocks := []slack.Block{slack.NewActionBlock("", askButton("new", "Request access…"))}
	seen := map[lifecycle.RequestID]bool{}
	for _, a := range d.Standing.Access {
		if a.Grant == "" || seen[a.Grant] || len(seen) == homeGrants {
			continue
		}
		seen[a.Grant] = true
		words := entitlementWords(a.Entitlement) + " is yours until " + moment(a.Until, d.loc) + "."
		blocks = append(blocks, slack.NewSectionBlock(mrkdwn(words), nil, slack.NewAccessory(button(ActionEnd, encodeValue(a.Grant, 1), "Give back"))))
	}
	return blocks
}
