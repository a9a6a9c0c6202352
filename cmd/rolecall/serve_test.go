package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"rolecall/bot/slacktest"
	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

// joins sends the signed notice that somebody is an SRE in Payments. It is
// signed as the README says, by none of our own code.
func (p *place) joins(name string) {
	p.t.Helper()
	body, err := json.Marshal(map[string]any{
		"specversion": "1.0", "id": rand.Text(), "source": "hr/acme", "type": "rolecall.identity.v1", "time": time.Now().UTC(),
		"data": map[string]any{
			"employee_id": "E-" + name, "status": "active", "emails": []string{email(name)}, "name": strings.ToUpper(name[:1]) + name[1:] + " Test",
			"department": "Payments", "title": "SRE II", "employment": "employee",
		},
	})
	if err != nil {
		p.t.Fatal(err)
	}
	if status, answer := p.post(body); status != http.StatusAccepted {
		p.t.Fatalf("the intake answered %d %s", status, answer)
	}
}

func (p *place) post(body []byte) (int, string) {
	p.t.Helper()
	id, at := rand.Text(), strconv.FormatInt(time.Now().Unix(), 10)
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(webhookSecret, "whsec_"))
	if err != nil {
		p.t.Fatal(err)
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.%s", id, at, body)
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, "http://"+p.listen+"/v1/lifecycle", bytes.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header = http.Header{
		"Content-Type": {"application/cloudevents+json"}, "Webhook-Id": {id}, "Webhook-Timestamp": {at},
		"Webhook-Signature": {"v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))},
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return res.StatusCode, string(answer)
}

// cards returns the messages in the channel that name who, with all they say.
func (p *place) cards(channel, who string) (cards []slacktest.Message, said string) {
	for _, m := range p.slack.Messages(channel) {
		if text := m.Text + "\n" + slacktest.PlainText(m.Blocks); strings.Contains(text, who) {
			cards, said = append(cards, m), said+text
		}
	}
	return cards, said
}

// card waits for the one card about who that says something.
func (p *place) card(channel, who, saying string) slacktest.Message {
	p.t.Helper()
	p.until(fmt.Sprintf("the card about %s says %q", who, saying), func() bool {
		_, said := p.cards(channel, who)
		return strings.Contains(said, saying)
	})
	cards, said := p.cards(channel, who)
	if len(cards) != 1 {
		p.t.Fatalf("%d cards about %s, want one:\n%s", len(cards), who, said)
	}
	return cards[0]
}

func (p *place) press(name string, m slacktest.Message, action string, choices ...slacktest.Choice) {
	p.t.Helper()
	if _, err := p.slack.Press(p.t.Context(), slackID(name), m.Channel, m.TS, action, choices...); err != nil {
		p.t.Fatal(err)
	}
}

const approve = "request.approve.v1"

// approvesJoiner plays the main job: a notice comes in, the owner presses
// Approve, PagerDuty is changed and checked, and the card says so.
func (p *place) approvesJoiner(name string) {
	p.t.Helper()
	p.hire(name)
	p.joins(name)
	who := strings.ToUpper(name[:1]) + name[1:] + " Test"
	m := p.card(payments, who, "[Approve]")
	if _, there := p.pd.UserByEmail(email(name)); there {
		p.t.Fatal("PagerDuty was changed before anybody approved")
	}
	p.press("marco", m, approve)
	done := p.card(payments, who, "Done, checked in PagerDuty")
	if done.TS != m.TS || !done.Edited {
		p.t.Errorf("the card was not edited in place: %s, then %s", m.TS, done.TS)
	}
	if left := slacktest.Buttons(done.Blocks); len(left) != 1 || left[0].ActionID != "request.undo.v1" {
		p.t.Errorf("a settled card has more to press than Undo, or not even that: %+v", left)
	}
	u, there := p.pd.UserByEmail(email(name))
	if !there || u.Role != "limited_user" || p.pd.TeamRole("PTPAY01", u.ID) != "responder" {
		p.t.Errorf("PagerDuty holds %+v, on Payments as %q", u, p.pd.TeamRole("PTPAY01", u.ID))
	}
	if created := slices.DeleteFunc(p.pd.Effects(), func(w pagerdutytest.Write) bool { return w.Path != "/users" || !strings.Contains(w.Body, email(name)) }); len(created) != 1 {
		p.t.Errorf("%d accounts were created, want one", len(created))
	}
}

// TestServe goes through a day of one running service: in Socket Mode, in
// enforce mode, on SQLite.
func TestServe(t *testing.T) {
	p := settle(t, nil)
	s := p.serve()
	p.approvesJoiner("nora")
	t.Run("a request is decided at the command line beside it", p.decidesAtTheCommandLine)
	t.Run("the README's own notice is taken in", p.takesTheNoticeOfTheReadme)
	t.Run("the roll is called at the command line beside it", p.callsTheRoll)
	t.Run("the record is followed as it grows", p.followsTheRecord)
	t.Run("people are told what is theirs", p.tellsPeople)
	t.Run("its pages say how it is", p.saysHowItIs)
	t.Run("it serves alone", p.servesAlone)
	t.Run("a backup is whole", p.backsUp)
	p.noViolations()
	if o := s.stop(); o.code != 0 || o.out != "" {
		t.Fatalf("serve exited %d, printed %q and logged\n%s", o.code, o.out, o.err)
	}
	t.Run("the log names no person and no secret", func(t *testing.T) { keepsQuiet(t, s.log.String()) })
	t.Run("what serve wrote is whole, and a byte that is changed is found", p.findsOneByte)
}
