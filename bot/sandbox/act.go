package sandbox

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"rolecall/bot/slacktest"
)

// action is something that the acting person does. The form has been read, and is of this page.
type action func(ctx context.Context, u slacktest.User, r *http.Request) (reply, error)

// reply is what follows an act that succeeded.
type reply struct {
	words string // for the acting person; "" when what they see says enough
	to    string // where to go; "" for where the form came from
	ask   string // a target that must be confirmed first
}

// acting does what a form says as the person of its address, and sends the browser back to a page.
func (s *sandbox) acting(do action) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		u, ok := s.actor(r.PathValue("user"))
		if !ok {
			s.lost(w, r)
			return
		}
		did, err := do(r.Context(), u, r)
		back := did.to
		if back == "" {
			back = backOf(r, s.doorOf(u, ""))
		}
		said := note{Words: did.words, Good: true}
		if err != nil {
			said = note{Words: s.words(err)}
			s.cfg.Log.InfoContext(r.Context(), "act in the sandbox", slog.String("path", r.URL.Path), slog.Any("err", err))
		}
		asks := url.Values{}
		if said.Words != "" {
			asks.Set("said", s.desk.leave(said))
		}
		if did.ask != "" {
			asks.Set("ask", did.ask)
		}
		http.Redirect(w, r, join(back, asks), http.StatusSeeOther)
	}
}

// backOf returns the page that a form came from; only pages of ours are gone back to.
func backOf(r *http.Request, otherwise string) string {
	back, err := url.Parse(r.PostForm.Get("back"))
	if err != nil || back.IsAbs() || back.Host != "" || !strings.HasPrefix(back.Path, "/u/") {
		return otherwise
	}
	return back.RequestURI()
}

func join(path string, asks url.Values) string {
	switch {
	case len(asks) == 0:
		return path
	case strings.Contains(path, "?"):
		return path + "&" + asks.Encode()
	default:
		return path + "?" + asks.Encode()
	}
}

// press presses a button or chooses in a menu, on a message, on the Home tab, or in a modal.
func (s *sandbox) press(ctx context.Context, u slacktest.User, r *http.Request) (reply, error) {
	t, err := pressed(r.PostForm)
	if err != nil {
		return reply{}, err
	}
	c, found := s.control(u, t)
	if found && c.Type == "datetimepicker" {
		t.pick = inSeconds(t.pick, u)
	}
	if found && c.Confirm != nil && r.PostForm.Get("confirmed") == "" {
		return reply{ask: t.String()}, nil
	}
	if err := s.pressAt(ctx, u, t); err != nil {
		return reply{}, err
	}
	if t.picked && t.Surface == "message" && c.Type != "overflow" {
		s.desk.choose(u.ID, t.TS, c.BlockID, t.action, t.pick)
	}
	return reply{}, nil
}

// pressed reads what a form presses. What is chosen comes with the button, or in fields beside it.
func pressed(form url.Values) (target, error) {
	t, err := parseTarget(form.Get("press"))
	if err != nil {
		return target{}, err
	}
	if !t.picked && (form.Has("pick") || form.Has("picks")) {
		t.picked, t.pick = true, form["pick"]
	}
	return t, nil
}

func (s *sandbox) pressAt(ctx context.Context, u slacktest.User, t target) error {
	choices := []slacktest.Choice{slacktest.InBlock(t.block), slacktest.WithValue(t.value)}
	if t.picked {
		choices = append(choices, slacktest.Pick(t.pick...))
	}
	var err error
	switch t.Surface {
	case "home":
		_, err = s.cfg.Workspace.PressHome(ctx, u.ID, t.action, choices...)
	case "modal":
		_, err = s.cfg.Workspace.PressModal(ctx, u.ID, t.action, choices...)
	default:
		_, err = s.cfg.Workspace.Press(ctx, u.ID, t.Channel, t.TS, t.action, choices...)
	}
	return err
}

// modal submits, closes, or presses something in the modal before the acting person. What is filled in is kept
// whatever comes of it.
func (s *sandbox) modal(ctx context.Context, u slacktest.User, r *http.Request) (reply, error) {
	v, ok := s.cfg.Workspace.Modal(u.ID)
	if !ok || v.ID != r.PostForm.Get("view") {
		return reply{}, &excuse{"This dialog is not open any more."}
	}
	if r.PostForm.Get("do") == "close" {
		return reply{}, s.cfg.Workspace.CloseModal(ctx, u.ID)
	}
	values := filledIn(v, u, r.PostForm)
	if r.PostForm.Has("press") {
		if err := s.cfg.Workspace.Fill(u.ID, values); err != nil {
			return reply{}, err
		}
		return s.press(ctx, u, r)
	}
	_, err := s.cfg.Workspace.Submit(ctx, u.ID, values)
	return reply{}, err
}

// filledIn collects what a form has in the inputs of a modal. An input without anything is emptied: browsers do not
// send boxes that are not ticked.
func filledIn(v slacktest.View, u slacktest.User, form url.Values) map[string]any {
	out := map[string]any{}
	for _, c := range slacktest.Controls(v.Blocks) {
		name := c.BlockID + "/" + c.ActionID
		given, sent := form["in:"+name]
		switch {
		case slices.Contains([]string{"button", "overflow", "workflow_button", "icon_button", "feedback_buttons", "file_input"}, c.Type):
			continue
		case !sent && !form.Has("has:"+name): // it was not in the form
			continue
		case c.Type == "datetimepicker":
			given = inSeconds(given, u)
		}
		out[name] = given
	}
	return out
}

// inSeconds turns what a browser's field for date and time gives into seconds since 1970.
func inSeconds(given []string, u slacktest.User) []string {
	var out []string
	for _, text := range given {
		if at, err := time.ParseInLocation(fieldTime, text, zone(u)); err == nil {
			text = formatSeconds(at)
		}
		out = append(out, text)
	}
	return out
}

// say runs a slash command, or writes a message, in a conversation or a thread.
func (s *sandbox) say(ctx context.Context, u slacktest.User, r *http.Request) (reply, error) {
	text, thread := strings.TrimSpace(r.PostForm.Get("text")), r.PostForm.Get("thread")
	channel, err := s.openConversation(ctx, u, r.PostForm.Get("channel"))
	switch {
	case err != nil || text == "":
		return reply{}, err
	case strings.HasPrefix(text, "/") && thread != "":
		return reply{}, &excuse{"Slash commands do not work in threads. Type it in the conversation."}
	case strings.HasPrefix(text, "/"):
		return reply{}, s.command(ctx, u, channel, text)
	}
	_, err = s.cfg.Workspace.Say(u.ID, channel, thread, slackEscape(text))
	return reply{}, err
}

// openConversation returns the id of the conversation; without one, that of the direct messages with the app, which
// are opened if need be.
func (s *sandbox) openConversation(ctx context.Context, u slacktest.User, channel string) (string, error) {
	if channel != "" {
		return channel, nil
	}
	if dm := s.cfg.Workspace.DirectMessage(u.ID); dm != "" {
		return dm, nil
	}
	_, err := s.cfg.Workspace.OpenHome(ctx, u.ID)
	return s.cfg.Workspace.DirectMessage(u.ID), err
}

func (s *sandbox) command(ctx context.Context, u slacktest.User, channel, text string) error {
	name, rest, _ := strings.Cut(text, " ")
	known := s.cfg.Workspace.Config().Commands
	if known != nil && !slices.Contains(known, name) {
		return &excuse{name + " is not a command here. Try " + strings.Join(known, ", ") + "."}
	}
	_, err := s.cfg.Workspace.Command(ctx, u.ID, channel, name, strings.TrimSpace(rest))
	return err
}

func (s *sandbox) shortcut(ctx context.Context, u slacktest.User, r *http.Request) (reply, error) {
	_, err := s.cfg.Workspace.MessageShortcut(ctx, u.ID, r.PostForm.Get("channel"), r.PostForm.Get("ts"), r.PostForm.Get("callback"))
	return reply{}, err
}

// openHome opens the app's Home tab; the page follows whether or not the app answers.
func (s *sandbox) openHome(ctx context.Context, u slacktest.User, _ *http.Request) (reply, error) {
	_, err := s.cfg.Workspace.OpenHome(ctx, u.ID)
	return reply{to: s.doorOf(u, Home)}, err
}

func (s *sandbox) dismiss(_ context.Context, u slacktest.User, r *http.Request) (reply, error) {
	s.desk.dismiss(u.ID, r.PostForm.Get("ts"))
	return reply{}, nil
}

// excuse is an error whose text was written for the acting person.
type excuse struct{ text string }

func (e *excuse) Error() string { return e.text }

// words says what went wrong as the acting person would read it in Slack.
func (s *sandbox) words(err error) string {
	cfg := s.cfg.Workspace.Config()
	if e, ok := errors.AsType[*excuse](err); ok {
		return e.text
	}
	switch {
	case errors.Is(err, slacktest.ErrNotAcknowledged):
		return cfg.BotName + " did not answer within " + cfg.AckTimeout.String() + ", so Slack gave up. Try again."
	case errors.Is(err, slacktest.ErrUnreachable):
		return cfg.BotName + " cannot be reached: it is not running, or not connected."
	case errors.Is(err, slacktest.ErrTrouble):
		return "We had some trouble connecting. Try again? (" + cfg.BotName + " answered something that Slack does not accept.)"
	case errors.Is(err, slacktest.ErrImpossible):
		return "That cannot be done here any more: " + reason(err) + "."
	case errors.Is(err, context.DeadlineExceeded):
		return "That took too long. Look whether it happened before you try again."
	default:
		return capital(err.Error()) + "."
	}
}

func capital(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:]
}

// reason returns the innermost words of an impossibility.
func reason(err error) string {
	_, after, found := strings.Cut(err.Error(), slacktest.ErrImpossible.Error()+": ")
	if !found {
		return err.Error()
	}
	return after
}
