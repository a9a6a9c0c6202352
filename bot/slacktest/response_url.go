package slacktest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// A response URL works five times within thirty minutes.
const (
	responseUses = 5
	responseLife = 30 * time.Minute
)

type responseURL struct {
	channel, user string
	source        *message // the message that was pressed; nil for a command
	at            time.Time
	uses          int
}

// newResponseURL issues a response URL. The caller holds mu.
func (w *Workspace) newResponseURL(channelID, userID string, source *message) string {
	now := w.cfg.Now()
	w.responseRoom = prune(w.responses, w.responseRoom, func(r *responseURL) bool { return now.Sub(r.at) > responseLife })
	id := w.id("R")
	w.responses[id] = &responseURL{channel: channelID, user: userID, source: source, at: now}
	return w.publicURL + "/commands/" + id
}

// response is what an app says in the answer to a command or at a response URL.
type response struct {
	Text            string          `json:"text"`
	Blocks          []any           `json:"blocks"`
	Attachments     json.RawMessage `json:"attachments"`
	ResponseType    string          `json:"response_type"`
	ReplaceOriginal bool            `json:"replace_original"`
	DeleteOriginal  bool            `json:"delete_original"`
	ThreadTS        string          `json:"thread_ts"`
}

func (w *Workspace) serveResponseURL(rw http.ResponseWriter, r *http.Request) {
	a, _, err := readArgs(r)
	c := &call{method: "response_url", args: a}
	if err == nil && !w.beforeFault(rw, r, c) {
		return
	}
	if err == nil {
		err = w.respondLater(r.PathValue("id"), c)
	}
	w.answer(rw, c, object{}, err)
}

func (w *Workspace) respondLater(id string, c *call) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	u := w.responses[id]
	switch {
	case u == nil || w.cfg.Now().Sub(u.at) > responseLife:
		return &refusal{code: "expired_url", detail: []string{fmt.Sprintf("a response URL lives %s", responseLife)}, status: http.StatusNotFound}
	case u.uses >= responseUses:
		return &refusal{code: "used_url", detail: []string{fmt.Sprintf("a response URL works %d times", responseUses)}, status: http.StatusNotFound}
	}
	said, err := responseOf(c.args)
	if err != nil {
		return err
	}
	u.uses++
	_, err = w.respond(u, said)
	return err
}

func responseOf(a args) (response, error) {
	said := response{
		Text: a["text"], ResponseType: a["response_type"], ReplaceOriginal: a.flag("replace_original"),
		DeleteOriginal: a.flag("delete_original"), ThreadTS: a["thread_ts"],
	}
	c := &call{args: a}
	if a["attachments"] != "" {
		if err := c.jsonArg("attachments", "invalid_attachments", &said.Attachments); err != nil {
			return response{}, err
		}
	}
	if a["blocks"] != "" {
		return said, c.jsonArg("blocks", "invalid_blocks_format", &said.Blocks)
	}
	return said, nil
}

// respond shows a response where it belongs, and returns the message that came of it, if any. The caller holds mu.
func (w *Workspace) respond(u *responseURL, said response) (*message, error) {
	if err := w.checkMessageBlocks(said.Blocks); err != nil {
		return nil, err
	}
	what := content{text: said.Text, blocks: said.Blocks, hasBlocks: true, attachments: said.Attachments}
	switch {
	case said.DeleteOriginal && u.source != nil:
		w.removeSource(u)
		return nil, nil
	case what.empty():
		return nil, invalid("no_text")
	case said.ReplaceOriginal && u.source != nil:
		w.edit(u.source, what)
		return u.source, nil
	case said.ResponseType == "in_channel":
		m := &message{Message: Message{User: w.cfg.BotUserID, Text: said.Text, ThreadTS: said.ThreadTS}, attachments: said.Attachments}
		m.setBlocks(said.Blocks)
		w.add(w.channels[u.channel], m)
		return m, nil
	default:
		m := w.whisper(u.channel, u.user, what)
		m.ThreadTS = said.ThreadTS
		return m, nil
	}
}

func (w *Workspace) removeSource(u *responseURL) {
	if !u.source.Ephemeral {
		w.remove(w.channels[u.channel], u.source)
		return
	}
	w.ephemerals[u.user] = slices.DeleteFunc(w.ephemerals[u.user], func(m *message) bool { return m == u.source })
	w.bump()
}

// commandAnswer shows what a command's acknowledgement says: nothing, plain text, or a response.
// It refuses what Slack does not accept. The caller holds mu.
func (w *Workspace) commandAnswer(u *responseURL, a answer) (*message, error) {
	body := strings.TrimSpace(string(a.body))
	if body == "" || body == "null" {
		return nil, nil
	}
	if !a.json {
		return w.respond(u, response{Text: body})
	}
	var said response
	if err := json.Unmarshal([]byte(body), &said); err != nil {
		var text string
		if json.Unmarshal([]byte(body), &text) != nil {
			return nil, invalid("invalid_command_response", err.Error())
		}
		said = response{Text: text}
	}
	if said.Text == "" && len(said.Blocks) == 0 && said.Attachments == nil { // {} acknowledges without words
		return nil, nil
	}
	return w.respond(u, said)
}
