package pagerduty

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"rolecall/lifecycle"
)

// Holdings returns what hangs on the account beside its roles, or lifecycle.ErrNotFound when there is no such account.
// Duties that cannot be read whole are an error, and where that is for want of a right, a Refusal; everything else that
// the key or the plan does not show is in Blind. All of it is read at the same time; see duties for what that takes.
func (c *Client) Holdings(ctx context.Context, id lifecycle.AccountID) (lifecycle.Holdings, error) {
	if err := checkID(id); err != nil {
		return lifecycle.Holdings{}, err
	}
	h := &holdingsReader{Client: c, id: id, is: lifecycle.Holdings{OtherAdmins: -1}}
	g, within := errgroup.WithContext(ctx)
	var incidents []lifecycle.Duty
	var blind []string
	g.Go(func() (err error) {
		h.is.Duties, blind, err = c.dutiesAndBlind(within, id)
		return err
	})
	g.Go(func() (err error) {
		incidents, err = c.incidents(within, id)
		return err
	})
	for _, read := range []func(context.Context) error{h.person, h.sessions, h.seats, h.used} {
		g.Go(func() error { return read(within) })
	}
	if err := g.Wait(); err != nil {
		return lifecycle.Holdings{}, err
	}
	h.is.Duties = append(h.is.Duties, incidents...)
	slices.Sort(h.is.Blind) // they came in any order
	h.is.Blind = slices.Concat([]string{unseen}, blind, h.is.Blind)
	return h.is, nil
}

// A holdingsReader reads what hangs on one account.
type holdingsReader struct {
	*Client
	id lifecycle.AccountID

	mu sync.Mutex
	is lifecycle.Holdings
}

// withheld reports whether err is PagerDuty's no, or that it has no such thing: what can be done without is then not seen,
// and to ask again would not help.
func withheld(err error) bool {
	e, is := asAnswer(err)
	return lifecycle.ReasonOf(err) != "" || is && e.status == http.StatusNotFound
}

// tolerate notes what cannot be seen, where err is PagerDuty's no.
func (h *holdingsReader) tolerate(what string, err error) error {
	if err == nil || !withheld(err) {
		return err
	}
	reason := lifecycle.ReasonOf(err)
	if reason == "" || errors.Is(err, lifecycle.ErrNotFound) { // whether the account is gone is asked of the account
		reason = "PagerDuty has no such list here."
	}
	h.blind(what + " could not be seen. " + reason)
	return nil
}

// person reads what only the user itself tells.
func (h *holdingsReader) person(ctx context.Context) error {
	role, feed, err := h.roleAndCalendar(ctx, h.prompt, h.id)
	if err != nil {
		return err
	}
	h.is.Calendar = feed
	if feed == "" {
		h.blind("The address of their calendar feed could not be seen, so it is not renewed.")
	}
	if role != lifecycle.RoleAdmin {
		return nil
	}
	return h.tolerate("Other admins", h.admins(ctx))
}

// roleAndCalendar returns the user's base role, and a fingerprint of the address of their calendar feed ("" when it is not
// told). Whoever has the address reads the feed, so the address goes no further than here.
func (c *Client) roleAndCalendar(ctx context.Context, a api, id lifecycle.AccountID) (lifecycle.BaseRole, string, error) {
	var got struct {
		User struct {
			ID   string `json:"id"`
			Role string `json:"role"`
			HTTP string `json:"http_cal_url"`
			Web  string `json:"web_cal_url"`
		} `json:"user"`
	}
	err := a.get(ctx, "/users/"+string(id), url.Values{"include[]": {"calendar_urls"}}, &got)
	if e, is := asAnswer(err); is && e.gone() {
		return "", "", fmt.Errorf("read user %s: %w", id, lifecycle.ErrNotFound)
	}
	if err != nil {
		return "", "", fmt.Errorf("read user %s: %w", id, explain(err))
	}
	if got.User.ID != string(id) {
		return "", "", fmt.Errorf("read user %s: the answer is about %q", id, clean(got.User.ID, 40))
	}
	role, err := baseRoleOf(got.User.ID, got.User.Role)
	return role, fingerprint(cmp.Or(got.User.HTTP, got.User.Web)), err
}

// admins counts who else runs the whole account, the Account Owner among them.
func (h *holdingsReader) admins(ctx context.Context) error {
	l := h.listAccounts(h.prompt, filter{}, &teamNames{})
	people, err := l.all(ctx)
	if tooLong, is := errors.AsType[*tooLongError](err); is && tooLong.total > 0 {
		l.cut = true
		people, err = l.all(ctx)
		h.blind(fmt.Sprintf("Only the first %d of %d users were looked through for other admins.", reach, tooLong.total))
	}
	if err != nil {
		return explain(err)
	}
	h.is.OtherAdmins = 0
	for _, a := range people {
		if a.ID != h.id && a.BaseRole.Rank() >= lifecycle.RoleAdmin.Rank() {
			h.is.OtherAdmins++
		}
	}
	return nil
}

func (h *holdingsReader) blind(sentence string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.is.Blind = append(h.is.Blind, sentence)
}

// sessions counts the sign-ins that are open; -1 when that cannot be seen, which is not none.
func (h *holdingsReader) sessions(ctx context.Context) error {
	open, err := h.delegations(ctx, h.prompt, h.id, "issued")
	if err != nil {
		h.is.Sessions = -1
		return h.tolerate("Whether they are signed in", err)
	}
	for _, d := range open {
		if d.ExpiresAt.IsZero() || d.ExpiresAt.After(h.now()) {
			h.is.Sessions++
		}
	}
	return nil
}

// seats reads the licences and what is left of them. The library takes no limit for no seat (its License has a number
// where PagerDuty says null), so this is a call of ours. Source: OpenAPI operation listLicenses.
func (h *holdingsReader) seats(ctx context.Context) error {
	var got struct {
		Licences []struct {
			Name  string   `json:"name"`
			Roles []string `json:"valid_roles"`
			Free  *int     `json:"allocations_available"`
		} `json:"licenses"`
	}
	if err := h.prompt.get(ctx, "/licenses", nil, &got); err != nil {
		return h.tolerate("Licence seats", explain(err))
	}
	for _, l := range got.Licences {
		seats := lifecycle.Seats{Licence: clean(l.Name, 80), Free: -1}
		if l.Free != nil {
			seats.Free = *l.Free
		}
		for _, r := range l.Roles {
			seats.Roles = append(seats.Roles, lifecycle.BaseRole(r))
		}
		h.is.Seats = append(h.is.Seats, seats)
	}
	return nil
}

func (h *holdingsReader) used(ctx context.Context) error {
	h.is.Used = h.lastUse(ctx, h.id)
	return nil
}
