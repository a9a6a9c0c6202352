package pagerduty

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	pd "github.com/PagerDuty/go-pagerduty"
	"golang.org/x/sync/errgroup"

	"rolecall/lifecycle"
)

// errTorn is two of PagerDuty's answers that contradict each other, as they do for a while after a change.
var errTorn = errors.New("PagerDuty contradicts itself about who is on the team")

// errTeamGone is a team that PagerDuty says does not exist.
var errTeamGone = fmt.Errorf("the team is gone: %w", errTorn)

var plainID = regexp.MustCompile(`^[A-Za-z0-9]{1,64}$`)

// checkID keeps what is no id out of paths: there is no such account.
func checkID(id lifecycle.AccountID) error {
	if !plainID.MatchString(string(id)) {
		return fmt.Errorf("%q is no PagerDuty id: %w", clean(string(id), 40), lifecycle.ErrNotFound)
	}
	return nil
}

// Account returns the account with its role on every team, or an error that is lifecycle.ErrNotFound when PagerDuty
// itself says that there is none.
func (c *Client) Account(ctx context.Context, id lifecycle.AccountID) (lifecycle.Account, error) {
	return c.account(ctx, c.prompt, id)
}

func (c *Client) account(ctx context.Context, a api, id lifecycle.AccountID) (account lifecycle.Account, err error) {
	err = c.untorn(ctx, func() error {
		u, err := c.user(ctx, a, id)
		if err != nil {
			return err
		}
		account, err = c.withTeams(ctx, a, u)
		return err
	})
	return account, explain(err)
}

// untorn reads again, a few times, while answers contradict each other.
func (c *Client) untorn(ctx context.Context, read func() error) error {
	for try := 1; ; try++ {
		err := read()
		if !errors.Is(err, errTorn) || try == sweeps {
			return err
		}
		if err := pause(ctx, c.cfg.Backoff<<(try-1)); err != nil {
			return err
		}
	}
}

// user returns the user, or ErrNotFound.
func (c *Client) user(ctx context.Context, a api, id lifecycle.AccountID) (pd.User, error) {
	if err := checkID(id); err != nil {
		return pd.User{}, err
	}
	u, err := ask(ctx, a, func(ctx context.Context, library *pd.Client) (*pd.User, error) {
		return library.GetUserWithContext(ctx, string(id), pd.GetUserOptions{})
	})
	if e, is := asAnswer(err); is && e.gone() {
		return pd.User{}, fmt.Errorf("read user %s: %w", id, lifecycle.ErrNotFound)
	}
	if err != nil {
		return pd.User{}, fmt.Errorf("read user %s: %w", id, explain(err))
	}
	if u.ID != string(id) {
		return pd.User{}, fmt.Errorf("read user %s: the answer is about %q", id, clean(u.ID, 40))
	}
	return *u, nil
}

// withTeams looks up the user's role on each of their teams. Which teams those are, the user says; the role only the
// team's list of members tells.
func (c *Client) withTeams(ctx context.Context, a api, u pd.User) (lifecycle.Account, error) {
	account, err := accountOf(u)
	if err != nil {
		return account, err
	}
	account.Teams = make([]lifecycle.Membership, len(u.Teams))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(c.cfg.Concurrency)
	for i, t := range u.Teams {
		g.Go(func() error {
			role, err := c.roleOn(ctx, a, lifecycle.TeamID(t.ID), u)
			if err == nil && role == "" {
				err = fmt.Errorf("user %s on team %s: %w", u.ID, t.ID, errTorn)
			}
			account.Teams[i] = lifecycle.Membership{Team: teamOf(t), Role: role}
			return err
		})
	}
	err = g.Wait()
	sortTeams(account.Teams)
	return account, err
}

// roleOn returns the user's role on the team, or "" when its members do not include them.
func (c *Client) roleOn(ctx context.Context, a api, team lifecycle.TeamID, u pd.User) (lifecycle.TeamRole, error) {
	for n := 0; ; n++ {
		p, err := c.memberPage(ctx, a, team, uint(n*pageSize), pageSize)
		if err != nil {
			return "", err
		}
		for _, m := range p.rows {
			if m.User.ID == u.ID {
				return memberRole(m, lifecycle.BaseRole(u.Role))
			}
		}
		if !p.more {
			return "", nil
		}
	}
}

func (c *Client) memberPage(ctx context.Context, a api, team lifecycle.TeamID, offset, limit uint) (page[pd.Member], error) {
	resp, err := ask(ctx, a, func(ctx context.Context, library *pd.Client) (*pd.ListTeamMembersResponse, error) {
		return library.ListTeamMembers(ctx, string(team), pd.ListTeamMembersOptions{Offset: offset, Limit: limit})
	})
	if e, is := asAnswer(err); is && e.gone() {
		return page[pd.Member]{}, fmt.Errorf("list members of team %s: %w", team, errTeamGone)
	}
	if err != nil {
		return page[pd.Member]{}, fmt.Errorf("list members of team %s: %w", team, explain(err))
	}
	return page[pd.Member]{rows: resp.Members, more: resp.More}, nil
}

// memberRole returns the role as a closed word. Owners, admins and stakeholders have a fixed one, which may be left out.
// Source of the fixed roles: PagerDuty's user import script.
func memberRole(m pd.Member, base lifecycle.BaseRole) (lifecycle.TeamRole, error) {
	if m.Role == "" {
		switch base {
		case lifecycle.RoleOwner, lifecycle.RoleAdmin:
			return lifecycle.TeamManager, nil
		case lifecycle.RoleStakeholder, lifecycle.RoleLimitedStakeholder:
			return lifecycle.TeamObserver, nil
		default: // a role that is not fixed must be said
		}
	}
	role, err := lifecycle.ParseTeamRole(m.Role)
	if err != nil {
		return "", fmt.Errorf("read the team role of user %s: %w", m.User.ID, err)
	}
	return role, nil
}

// accountOf reads a user without their teams. A base role that the house does not know is an error: it cannot be ranked.
func accountOf(u pd.User) (lifecycle.Account, error) {
	role, err := baseRoleOf(u.ID, u.Role)
	if err != nil {
		return lifecycle.Account{}, err
	}
	return lifecycle.Account{ID: lifecycle.AccountID(u.ID), Email: u.Email, Name: u.Name, BaseRole: role, Invited: u.InvitationSent, URL: u.HTMLURL}, nil
}

func baseRoleOf(id, role string) (lifecycle.BaseRole, error) {
	base, err := lifecycle.ParseBaseRole(role)
	if err != nil {
		return "", fmt.Errorf("read the base role of user %s: %w", id, err)
	}
	return base, nil
}

func teamOf(t pd.Team) lifecycle.Team {
	name := t.Name
	if name == "" {
		name = t.Summary // a reference carries the name there
	}
	return lifecycle.Team{ID: lifecycle.TeamID(t.ID), Name: name}
}

func sortTeams(teams []lifecycle.Membership) {
	slices.SortFunc(teams, func(a, b lifecycle.Membership) int { return strings.Compare(string(a.Team.ID), string(b.Team.ID)) })
}

// AccountsByEmail returns the accounts whose address is exactly email, folded, with all their roles. PagerDuty's own
// search is by part of names and addresses.
func (c *Client) AccountsByEmail(ctx context.Context, email string) ([]lifecycle.Account, error) {
	users, err := c.usersByEmail(ctx, email)
	if err != nil {
		return nil, err
	}
	var accounts []lifecycle.Account
	for _, u := range users {
		a, err := c.Account(ctx, lifecycle.AccountID(u.ID))
		switch {
		case errors.Is(err, lifecycle.ErrNotFound): // deleted since it was listed
		case err != nil:
			return nil, err
		case lifecycle.FoldEmail(a.Email) == lifecycle.FoldEmail(email):
			accounts = append(accounts, a)
		}
	}
	return accounts, nil
}

func (c *Client) usersByEmail(ctx context.Context, email string) ([]pd.User, error) {
	email = lifecycle.FoldEmail(email)
	if email == "" {
		return nil, lifecycle.Refuse(lifecycle.ErrInvalid, "An account cannot be looked for without an address.")
	}
	users, err := c.listUsers(c.prompt, email, 1).all(ctx)
	if err != nil {
		return nil, explain(err)
	}
	return slices.DeleteFunc(users, func(u pd.User) bool { return lifecycle.FoldEmail(u.Email) != email }), nil
}

func (c *Client) listUsers(a api, query string, parallel int) listing[pd.User] {
	return listing[pd.User]{
		what: "users", overlap: true, parallel: parallel, id: func(u pd.User) string { return u.ID },
		fetch: func(ctx context.Context, offset, limit uint, total bool) (page[pd.User], error) {
			resp, err := ask(ctx, a, func(ctx context.Context, library *pd.Client) (*pd.ListUsersResponse, error) {
				return library.ListUsersWithContext(ctx, pd.ListUsersOptions{Query: query, Offset: offset, Limit: limit, Total: total})
			})
			if err != nil {
				return page[pd.User]{}, err
			}
			return page[pd.User]{rows: resp.Users, more: resp.More, total: int(resp.Total)}, nil
		},
	}
}

func (c *Client) listTeams(a api) listing[pd.Team] {
	return listing[pd.Team]{
		what: "teams", overlap: true, parallel: c.cfg.Concurrency, id: func(t pd.Team) string { return t.ID },
		fetch: func(ctx context.Context, offset, limit uint, total bool) (page[pd.Team], error) {
			resp, err := ask(ctx, a, func(ctx context.Context, library *pd.Client) (*pd.ListTeamResponse, error) {
				return library.ListTeamsWithContext(ctx, pd.ListTeamOptions{Offset: offset, Limit: limit, Total: total})
			})
			if err != nil {
				return page[pd.Team]{}, err
			}
			return page[pd.Team]{rows: resp.Teams, more: resp.More, total: int(resp.Total)}, nil
		},
	}
}

// Teams returns every team, by id.
func (c *Client) Teams(ctx context.Context) ([]lifecycle.Team, error) {
	rows, err := c.listTeams(c.prompt).all(ctx)
	if err != nil {
		return nil, explain(err)
	}
	teams := make([]lifecycle.Team, len(rows))
	for i, t := range rows {
		teams[i] = teamOf(t)
	}
	slices.SortFunc(teams, func(a, b lifecycle.Team) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return teams, nil
}
