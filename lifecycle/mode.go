package lifecycle

// Mode says whether PagerDuty may be written to.
type Mode string

// In observe mode everything is planned, asked and recorded, and nothing is
// written to PagerDuty; every card says so.
const (
	Observe Mode = "observe"
	Enforce Mode = "enforce"
)

// ParseMode returns the mode named s, or a Refusal that lists them.
func ParseMode(s string) (Mode, error) { return parseClosed("mode", s, Observe, Enforce) }
