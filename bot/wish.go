package bot

import (
	"context"
	"fmt"
	"strings"
	"time"

	"rolecall/lifecycle"
)

// ShortcutWish is the callback id of the global shortcut "Request PagerDuty access".
const ShortcutWish = "wish.v1"

// request answers `request [role] [team] [for 8h | until 2026-05-31]`: it opens the
// modal, with what was said filled in. What cannot be read is a Refusal with an example.
func (b *Bot) request(ctx context.Context, q asking) (message, error) {
	menu, err := b.cfg.Desk.Menu(ctx, q.who)
	if err != nil {
		return message{}, err
	}
	said, err := readWish(q.args, menu, b.cfg.Now())
	if err != nil {
		return message{}, err
	}
	return message{}, b.openWish(ctx, q.trigger, menu, said)
}

// openWish opens the modal in which somebody asks for access, or refuses where
// there is nothing that they could ask for.
func (b *Bot) openWish(ctx context.Context, trigger string, menu lifecycle.Menu, said saidWish) error {
	if menu.Closed != "" {
		return lifecycle.Refuse(lifecycle.ErrForbidden, "%s", menu.Closed)
	}
	return b.openModal(ctx, trigger, wishModal(menu, said, frame{mode: b.cfg.Mode, now: b.cfg.Now(), loc: b.cfg.Location}))
}

// wishShortcut opens the modal from Slack's menu of shortcuts.
func (b *Bot) wishShortcut(ctx context.Context, in interaction) error {
	who, err := b.people.reader(ctx, in.User)
	if err != nil {
		return err
	}
	menu, err := b.cfg.Desk.Menu(ctx, who)
	if err != nil {
		return err
	}
	return b.openWish(ctx, in.TriggerID, menu, saidWish{})
}

// A saidWish is what somebody has said already of what they ask for.
type saidWish struct {
	Role string        // of wishRoles
	Team string        // id
	For  time.Duration // 0 where not said
	Day  string        // the last day, YYYY-MM-DD; "" where not said
	Why  string
}

const wishExample = "For example: `" + Command + " request responder payments for 8h`. Or just `" + Command + " request`."

// readWish returns what the words say. They are read only where they can mean one
// thing; a word that is not known is a Refusal that names the nearest.
func readWish(args string, menu lifecycle.Menu, now time.Time) (saidWish, error) {
	var said saidWish
	rest, ok, err := said.cutTime(args, now)
	if err != nil || !ok {
		return said, err
	}
	words := strings.Fields(rest)
	var team []string
	for i := 0; i < len(words); i++ {
		role := roleSaid(words[i])
		if role == "" && i+1 < len(words) {
			if role = roleSaid(words[i] + " " + words[i+1]); role != "" {
				i++
			}
		}
		switch {
		case role != "" && said.Role == "":
			said.Role = role
		case len(team) == 0 && (strings.EqualFold(words[i], "on") || strings.EqualFold(words[i], "in")):
		default:
			team = append(team, words[i])
		}
	}
	if len(team) == 0 {
		return said, nil
	}
	name := strings.Join(team, " ")
	t, ok := menu.Team(name)
	if !ok {
		return said, unreadWish(name, menu)
	}
	said.Team = string(t.Team.ID)
	if base := lifecycle.BaseRole(strings.TrimPrefix(said.Role, baseRolePrefix)); base == lifecycle.RoleResponder || base == lifecycle.RoleObserver || base == lifecycle.RoleManager {
		said.Role = strings.ToLower(base.Title()) // on a team the word means the role there
	}
	return said, nil
}

// cutTime takes how long it is to last off the words, and returns the others. It is
// false where there are none at all.
func (s *saidWish) cutTime(args string, now time.Time) (rest string, any bool, err error) {
	words := strings.Fields(args)
	for i, w := range words {
		word := strings.ToLower(w)
		if word != "for" && word != "until" {
			continue
		}
		value := strings.Join(words[i+1:], "")
		if word == "until" {
			if _, err := time.Parse(time.DateOnly, value); err != nil {
				return "", false, lifecycle.Refuse(lifecycle.ErrInvalid, "%q is not a day like %s. %s", clip(value, maxName), now.AddDate(0, 0, 7).Format(time.DateOnly), wishExample)
			}
			s.Day = value
		} else if s.For = spanSaid(value); s.For == 0 {
			return "", false, lifecycle.Refuse(lifecycle.ErrInvalid, "I cannot tell how long %q is. Say 4h, 8h, 1d or 7d. %s", clip(value, maxName), wishExample)
		}
		return strings.Join(words[:i], " "), true, nil
	}
	return args, len(words) > 0, nil
}

// spanSaid returns the duration that is meant by 8h, 2d or 1 week; 0 is none.
func spanSaid(s string) time.Duration {
	d, err := lifecycle.ParseSpan(s)
	if err != nil {
		return 0
	}
	return d
}

const baseRolePrefix = "base:"

// roleSaid returns the choice that a word means, or "". Responder, observer and
// manager are roles on a team and base roles: which is meant, the team says.
func roleSaid(word string) string {
	word = strings.ToLower(word)
	for _, r := range []lifecycle.TeamRole{lifecycle.TeamObserver, lifecycle.TeamResponder, lifecycle.TeamManager} {
		if word == string(r) {
			return word
		}
	}
	for _, r := range []lifecycle.BaseRole{lifecycle.RoleObserver, lifecycle.RoleResponder, lifecycle.RoleManager, lifecycle.RoleAdmin} {
		if word == string(r) || word == strings.ToLower(r.Title()) {
			return baseRolePrefix + string(r)
		}
	}
	return ""
}

// unreadWish refuses a word that is neither a role nor a team, and proposes the nearest.
func unreadWish(name string, menu lifecycle.Menu) error {
	best, least := "", 4
	known := []string{"observer", "responder", "manager", "admin"}
	for _, t := range menu.Teams {
		known = append(known, t.Team.Name)
	}
	for _, k := range known {
		if d := edits(strings.ToLower(name), strings.ToLower(k)); d < least {
			best, least = k, d
		}
	}
	if best != "" {
		return lifecycle.Refuse(lifecycle.ErrInvalid, "I know no role and no team %q that you could ask for. Did you mean %q? %s", clip(name, maxName), best, wishExample)
	}
	return lifecycle.Refuse(lifecycle.ErrInvalid, "I know no role and no team %q that you could ask for. %s", clip(name, maxName), wishExample)
}

// wishSubmitted opens the request that the modal was filled in for. What comes of
// it stands in the person's direct messages.
func (b *Bot) wishSubmitted(ctx context.Context, in interaction) error {
	by, err := b.people.reader(ctx, in.User)
	if err != nil {
		return err
	}
	w := lifecycle.Wish{
		By: by, Team: in.View.entered(InputTeam), Role: in.View.entered(InputRole),
		Why: in.View.entered(InputReason), Incident: in.View.entered(InputIncident), Via: lifecycle.ViaSlack,
	}
	if base, is := strings.CutPrefix(w.Role, baseRolePrefix); is && w.Team == "" {
		w.Role = base
	} else if is {
		return underInput(InputTeam, "A base role is the account's and belongs to no team. Take the team out, or choose a role on it.")
	} else if w.Team == "" {
		return underInput(InputTeam, "Choose the team on which you need this role.")
	}
	field := InputFor
	if chosen := in.View.entered(InputFor); chosen == untilDay {
		field = InputUntil
		loc, err := b.jobs.zoneOf(ctx, in.User.ID)
		if err != nil {
			return err
		}
		if w.Until, err = dayIn(in.View, InputUntil, loc); err != nil {
			return err
		}
		w.Until = w.Until.AddDate(0, 0, 1).Add(-time.Minute)
	} else if w.Until = b.cfg.Now().Add(spanSaid(chosen)).Truncate(time.Minute); spanSaid(chosen) == 0 {
		return underInput(InputFor, "Choose how long.")
	}
	r, err := b.cfg.Planner.Wish(ctx, w)
	if err != nil {
		return fieldsIn(err, field)
	}
	b.refresh(ctx, by)
	b.drawSoon(ctx, aboutRequest(r.ID), func(ctx context.Context) error { return b.jobs.restate(ctx, r.ID) })
	return nil
}

// fieldsIn returns the refusal with what is wrong with the end under the input in
// which that was given.
func fieldsIn(err error, until string) error {
	refusal, ok := asRefusal(err)
	if !ok {
		return err
	}
	is := *refusal
	is.Fields = make([]lifecycle.FieldError, len(refusal.Fields))
	for i, f := range refusal.Fields {
		if f.Path == lifecycle.WishUntil {
			f.Path = until
		}
		is.Fields[i] = f
	}
	return &is
}

// pressOwn does what somebody wants of what they have asked for themselves.
func (b *Bot) pressOwn(ctx context.Context, in interaction, a action, by lifecycle.Identity) error {
	if a.ActionID == ActionWish {
		return b.pressWish(ctx, in, a, by)
	}
	id, _, err := decodeValue(a.chosen())
	if err != nil {
		return err
	}
	var r lifecycle.Request
	var noted string
	switch a.ActionID {
	case ActionNudge:
		noted = "Those who have not decided are reminded. You can do that again in four hours."
		r, err = b.cfg.Approvals.Nudge(ctx, id, by, lifecycle.ViaSlack)
	case ActionCancel:
		r, err = b.cfg.Approvals.Cancel(ctx, id, by, lifecycle.ViaSlack)
	default:
		r, err = b.cfg.Approvals.GiveBack(ctx, id, by, lifecycle.ViaSlack)
	}
	if err != nil {
		return gone(err)
	}
	if noted != "" {
		b.say(ctx, where{user: in.User.ID}, noted)
	}
	b.refresh(ctx, by)
	b.drawSoon(ctx, aboutRequest(r.ID), func(ctx context.Context) error { return b.jobs.restate(ctx, r.ID) })
	return nil
}

// pressWish opens the modal, with what the button's request had asked for filled in.
func (b *Bot) pressWish(ctx context.Context, in interaction, a action, by lifecycle.Identity) error {
	menu, err := b.cfg.Desk.Menu(ctx, by)
	if err != nil {
		return err
	}
	var said saidWish
	if id, _, err := decodeValue(a.chosen()); err == nil {
		r, err := b.cfg.Store.Request(ctx, id)
		if err != nil {
			return gone(fmt.Errorf("load request %s: %w", id, err))
		}
		if c, ok := r.Wished(); ok && r.Subject.ID == by.ID {
			said = saidWish{Role: roleChoice(c.Entitlement.Kind, c.To), Team: string(c.Entitlement.Team.ID), Why: r.Asked}
		}
	}
	return b.openWish(ctx, in.TriggerID, menu, said)
}

// roleChoice returns the value of the role in the modal.
func roleChoice(k lifecycle.EntitlementKind, role string) string {
	if k == lifecycle.KindBaseRole {
		return baseRolePrefix + role
	}
	return role
}
