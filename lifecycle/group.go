package lifecycle

import (
	"context"
	"time"
)

// A Group is a Slack user group that the policy names as owner of a team, or as
// Security, and who was in it when Slack was last asked.
type Group struct {
	ID       GroupID   `json:"id"` // Slack's, S…
	Revision int       `json:"revision"`
	Handle   string    `json:"handle"` // without the @; for people
	Emails   []string  `json:"emails"` // of its members who are people of this workspace, folded and in order
	ReadAt   time.Time `json:"read_at"`
	Trouble  string    `json:"trouble,omitempty"` // why it could not be read since, in words
}

// GroupStore keeps who is in which group, so that it is known while Slack is down.
type GroupStore interface {
	// Groups returns every group that was ever read, by id.
	Groups(ctx context.Context) ([]Group, error)
	// SaveGroup stores g. A first revision that is already stored is ErrDuplicate; a
	// later one that does not follow the stored revision is ErrConflict.
	SaveGroup(ctx context.Context, g Group, e AuditEvent, next ...Job) error
	// GroupRead notes that the group was read at t and found as it is stored: no
	// line of the trail speaks of that.
	GroupRead(ctx context.Context, id GroupID, t time.Time) error
}
