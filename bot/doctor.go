package bot

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"rolecall/lifecycle"
)

// A Check is one thing that the bot needs of Slack, and whether it is so.
type Check struct {
	Name   string
	OK     bool
	Detail string // what is so, and when it is not OK what to do about it
}

// Examine looks at everything in Slack that p and the bot rely on, and changes nothing.
func Examine(ctx context.Context, s Secrets, apiURL string, client *http.Client, p lifecycle.Policy) []Check {
	var granted string
	api := slack.New(s.BotToken, slack.OptionAPIURL(apiURL), slack.OptionHTTPClient(client), slack.OptionAppLevelToken(s.AppToken),
		slack.OptionOnResponseHeaders(func(_ string, h http.Header) {
			if scopes := h.Get("X-OAuth-Scopes"); scopes != "" {
				granted = scopes
			}
		}))
	who, err := api.AuthTestContext(ctx)
	if said, ok := errors.AsType[slack.SlackErrorResponse](err); ok {
		return []Check{{"slack token", false, "Slack does not accept the bot token (" + said.Err + "); install the app again and set ROLECALL_SLACK_BOT_TOKEN to its token"}}
	}
	if err != nil {
		return []Check{{"slack token", false, "Slack does not answer: " + err.Error() + "; look at the network, and at ROLECALL_SLACK_API_URL"}}
	}
	checks := []Check{{"slack token", true, fmt.Sprintf("accepted, as %s in %s", who.User, who.Team)}, examineScopes(granted)}
	if s.AppToken != "" {
		checks = append(checks, examineSocket(ctx, api))
	}
	for _, c := range channelsOf(p) {
		checks = append(checks, examineChannel(ctx, api, c))
	}
	return append(checks, examineDeciders(ctx, api, p))
}

func examineScopes(granted string) Check {
	if granted == "" {
		return Check{"slack scopes", true, "Slack did not say which scopes the token has"}
	}
	var missing []string
	for scope, why := range Surface().Scopes {
		if !slices.Contains(strings.Split(strings.ReplaceAll(granted, " ", ""), ","), scope) {
			missing = append(missing, fmt.Sprintf("%s (%s)", scope, why))
		}
	}
	if len(missing) == 0 {
		return Check{"slack scopes", true, "all that are needed"}
	}
	slices.Sort(missing)
	return Check{"slack scopes", false, "missing: " + strings.Join(missing, ", ") + "; update the app from manifest.yaml and install it again"}
}

func examineSocket(ctx context.Context, api *slack.Client) Check {
	if _, _, err := api.StartSocketModeContext(ctx); err != nil {
		return Check{"slack socket", false, "Slack opens no socket for the app token: " + err.Error() + "; it needs connections:write"}
	}
	return Check{"slack socket", true, "opens"}
}

// channelsOf returns the channels that the policy names, sorted, with who wants them.
func channelsOf(p lifecycle.Policy) []string {
	named := map[string]bool{p.Security.Channel: true}
	for _, t := range p.Teams {
		named[t.Channel] = true
	}
	delete(named, "")
	return slices.Sorted(maps.Keys(named))
}

func examineChannel(ctx context.Context, api *slack.Client, id string) Check {
	name := "channel " + id
	c, err := api.GetConversationInfoContext(ctx, &slack.GetConversationInfoInput{ChannelID: id})
	switch {
	case err != nil:
		return Check{name, false, "the bot cannot see it (" + err.Error() + "); invite the bot, or mend the id in the policy"}
	case c.IsArchived:
		return Check{name, false, "#" + c.Name + " is archived; restore it, or name another in the policy"}
	case c.IsPrivate && !c.IsMember:
		return Check{name, false, "#" + c.Name + " is private, and the bot is not in it: invite it"}
	default:
		return Check{name, true, "#" + c.Name}
	}
}

// examineDeciders looks for everybody who decides: an owner whom Slack does not
// know would never be asked.
func examineDeciders(ctx context.Context, api *slack.Client, p lifecycle.Policy) Check {
	var unknown []string
	for _, email := range p.People() {
		if err := findable(ctx, api, email); err != nil {
			unknown = append(unknown, email+" ("+err.Error()+")")
		}
	}
	if len(unknown) > 0 {
		return Check{"slack people", false, "not found by address: " + strings.Join(unknown, ", ") + "; mend the policy, or their address in Slack"}
	}
	return Check{"slack people", true, fmt.Sprintf("all %d people of the policy are found by their address", len(p.People()))}
}

// findable returns nil when Slack knows the address. Slack answers fifty such
// questions a minute: beyond that it is asked again when it says so.
func findable(ctx context.Context, api *slack.Client, email string) error {
	for {
		_, err := api.GetUserByEmailContext(ctx, email)
		limited, ok := errors.AsType[*slack.RateLimitedError](err)
		if !ok {
			return err
		}
		if err := waitFor(ctx, limited.RetryAfter); err != nil {
			return err
		}
	}
}
