package bot_test

import (
	"slices"
	"strings"
	"testing"

	"rolecall/bot"
	"rolecall/lifecycle"
)

func TestEveryMistakeInTheConfigurationIsNamed(t *testing.T) {
	t.Parallel()
	_, err := bot.New(bot.Config{APIURL: "https://slack.com/api", Secrets: bot.Secrets{AppToken: "xoxb-1", SigningSecret: "s"}})
	if err == nil {
		t.Fatal("an empty configuration is taken")
	}
	for _, want := range []string{"bot token", "not both", "xapp-", "end in /", "HTTP client", "approvals", "matcher", "policy source", "store", "roll call", "clock", "mode"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not named in:\n%v", want, err)
		}
	}
}

func TestTheBotHasAHandlerForEachOfItsJobs(t *testing.T) {
	t.Parallel()
	h := newHouse(t, overHTTP)
	want := []lifecycle.JobKind{lifecycle.JobShow, lifecycle.JobRemind, lifecycle.JobAlert, lifecycle.JobDigests, lifecycle.JobCase, lifecycle.JobHold, lifecycle.JobEnding, lifecycle.JobGroups}
	handlers := h.bot.Handlers()
	for _, k := range want {
		if handlers[k] == nil {
			t.Errorf("job %s has no handler", k)
		}
	}
	for k := range handlers {
		if !slices.Contains(want, k) {
			t.Errorf("job %s is not the bot's", k)
		}
	}
}
