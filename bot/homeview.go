package bot

import (
	"time"

	"github.com/slack-go/slack"

	"rolecall/lifecycle"
)

// homeData is what one person's Home tab says.
type homeData struct {
	Viewer   lifecycle.Identity
	Inbox    []lifecycle.Request
	Standing lifecycle.Standing
	Teams    []homeTeam
	Findings []lifecycle.Finding
	Ending   []lifecycle.Exception
	Policy   lifecycle.Policy
	Mode     lifecycle.Mode
	Names    map[string]lifecycle.SlackID
	Now      time.Time
	Location *time.Location
}

// homeTeam is one team that the person owns, and who is on it.
type homeTeam struct {
	Team    lifecycle.TeamPolicy
	Holders []lifecycle.Holder
}

// homeView draws the Home tab: the inbox, my access, my teams.
func homeView(d homeData) slack.HomeTabViewRequest { return slack.HomeTabViewRequest{} }
