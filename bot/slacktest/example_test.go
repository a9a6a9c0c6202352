package slacktest_test

import (
	"context"
	"fmt"
	"log"

	"github.com/slack-go/slack"

	"rolecall/bot/slacktest"
)

// An app posts a card; a person sees it. Nobody is connected to hear the press.
func Example() {
	w := slacktest.New(slacktest.Config{})
	marco := w.AddUser(slacktest.User{ID: "U0MARCO", Email: "marco@acme.test"})
	bot := w.Config().BotUserID
	payments := w.AddChannel(slacktest.Channel{Name: "payments", Members: []string{bot, marco.ID}})
	base, err := w.Start()
	if err != nil {
		log.Fatal(err)
	}
	defer w.Close()

	api := slack.New(w.Config().BotToken, slack.OptionAPIURL(base+"/api/"))
	approve := slack.NewButtonBlockElement("request.approve.v1", "req_1", slack.NewTextBlockObject(slack.PlainTextType, "Approve", false, false))
	_, ts, err := api.PostMessage(payments.ID, slack.MsgOptionText("Ben asks", false), slack.MsgOptionBlocks(slack.NewActionBlock("decide", approve)))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(slacktest.PlainText(w.Messages(payments.ID)[0].Blocks))

	_, err = w.Press(context.Background(), marco.ID, payments.ID, ts, "request.approve.v1")
	fmt.Println(err)
	// Output:
	// [Approve]
	// deliver interactive block_actions: the app cannot be reached: no socket is open
}
