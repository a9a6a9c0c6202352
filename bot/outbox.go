package bot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/slack-go/slack"

	"rolecall/lifecycle"
)

// A message is what is said in Slack: Text is for the phone's push and for
// where blocks cannot be shown.
type message struct {
	Text     string
	Blocks   []slack.Block
	Metadata *slack.SlackMetadata
	Rank     rank
}

const (
	defaultAPIURL = "https://slack.com/api/"
	callTime      = 10 * time.Second // of one call, when the client has no deadline of its own
	callTries     = 4
	callPause     = 200 * time.Millisecond
	pictureTries  = 3
	picturePause  = 3 * time.Second
)

// An outbox is the one way out to Slack. It keeps within Slack's limits, keeps
// the order of what is said in one channel and of what one message says, and
// never lets what somebody waits for (a modal, a private line, the card that was
// pressed) stand behind what nobody waits for: each method has its own gate, with
// a part kept for them, and an edit of one message waits for that of no other.
type outbox struct {
	api    *slack.Client
	http   *http.Client
	apiURL string
	store  lifecycle.Recorder
	now    func() time.Time
	log    *slog.Logger
	pace   pacing

	mu    sync.Mutex
	gates map[string]*gate
	lanes map[string]*lane
	edits *locks            // by message
	dms   map[string]string // by user: a direct message keeps its id for ever
}

// newOutbox returns an outbox, or an error that says what of cfg is missing.
func newOutbox(cfg Config) (*outbox, error) { return newPacedOutbox(cfg, slackPacing()) }

func newPacedOutbox(cfg Config, p pacing) (*outbox, error) {
	apiURL := cfg.APIURL
	if apiURL == "" {
		apiURL = defaultAPIURL
	}
	switch {
	case cfg.Secrets.BotToken == "":
		return nil, errors.New("the Slack bot token is missing")
	case !strings.HasSuffix(apiURL, "/"):
		return nil, fmt.Errorf("the Slack API URL %q must end in /", apiURL)
	}
	client := &http.Client{}
	if cfg.Client != nil {
		*client = *cfg.Client
	}
	if client.Timeout == 0 {
		client.Timeout = callTime
	}
	return &outbox{
		api:  slack.New(cfg.Secrets.BotToken, slack.OptionAPIURL(apiURL), slack.OptionHTTPClient(client)),
		http: client, apiURL: apiURL, store: cfg.Store, now: cfg.Now, log: cfg.Log, pace: p,
		gates: map[string]*gate{}, lanes: map[string]*lane{}, edits: newLocks(), dms: map[string]string{},
	}, nil
}

// post says m in the channel (threadTS: in that thread, unless "") and returns
// where it stands. A post whose answer was lost is an error and is not
// repeated here: Slack has no idempotency key, so who posts must look first.
func (o *outbox) post(ctx context.Context, channel, threadTS string, m message) (channelID, ts string, err error) {
	l := o.lane(channel)
	if err := l.enter(ctx); err != nil {
		return "", "", err
	}
	defer l.leave()
	if err := l.pace(ctx); err != nil {
		return "", "", err
	}
	err = o.say(ctx, "chat.postMessage", channel, m, func(options []slack.MsgOption) error {
		if threadTS != "" {
			options = append(options, slack.MsgOptionTS(threadTS))
		}
		channelID, ts, err = o.api.PostMessageContext(ctx, channel, options...)
		if err == nil {
			o.opened(channel, channelID)
		}
		return err
	})
	return channelID, ts, err
}

// update makes the message at ts say m.
func (o *outbox) update(ctx context.Context, channel, ts string, m message) error {
	release, err := o.edits.take(ctx, channel+"/"+ts)
	if err != nil {
		return err
	}
	defer release()
	return o.say(ctx, "chat.update", channel, m, func(options []slack.MsgOption) error {
		_, _, _, err := o.api.UpdateMessageContext(ctx, channel, ts, options...)
		return err
	})
}

// ephemeral shows text to one person only, in the channel or in a thread of it.
func (o *outbox) ephemeral(ctx context.Context, channel, user, thread, text string) error {
	options := []slack.MsgOption{slack.MsgOptionText(text, false), slack.MsgOptionParse(false)}
	if thread != "" {
		options = append(options, slack.MsgOptionTS(thread))
	}
	return o.call(ctx, "chat.postEphemeral", once, func() error {
		_, err := o.api.PostEphemeralContext(ctx, channel, user, options...)
		return err
	})
}

// say sends m, in plain words when Slack does not take its blocks: a card that
// cannot be drawn must still reach its owner.
func (o *outbox) say(ctx context.Context, method, channel string, m message, send func([]slack.MsgOption) error) error {
	how := once
	if method == "chat.update" {
		how = again
	}
	whole := func() error { return send(m.options(m.Blocks)) }
	err := o.callAs(ctx, m.Rank, method, how, whole)
	for try := 1; try < pictureTries && undrawable(err) && slices.ContainsFunc(m.Blocks, isPicture); try++ {
		// Slack works on a file for a while after it has taken it, and refuses it until then.
		if waitErr := waitFor(ctx, picturePause); waitErr != nil {
			break
		}
		err = o.callAs(ctx, m.Rank, method, how, whole)
	}
	if !undrawable(err) || len(m.Blocks) == 0 {
		return err
	}
	if recErr := o.undrawn(ctx, channel, err); recErr != nil {
		return recErr
	}
	if rest := untabled(m.Blocks); len(rest) < len(m.Blocks) { // tables are the youngest of all blocks, and Slack may still be at work on a picture; the buttons matter more
		if err := o.callAs(ctx, m.Rank, method, how, func() error { return send(m.options(rest)) }); !undrawable(err) {
			return err
		}
	}
	return o.callAs(ctx, m.Rank, method, how, func() error { return send(m.plainly().options(nil)) })
}

// plainly returns m as it is said where its blocks cannot be drawn: with them go
// the buttons, so it says where there are others.
func (m message) plainly() message {
	if slices.ContainsFunc(m.Blocks, hasButtons) {
		m.Text = clipMarkup(m.Text, maxPush-200) + " Slack could not draw the buttons: use those of `" + Command + " inbox` or of rolecall's Home tab."
	}
	return m
}

func hasButtons(b slack.Block) bool {
	s, ok := b.(*slack.SectionBlock)
	return b.BlockType() == slack.MBTAction || ok && s.Accessory != nil
}

func isPicture(b slack.Block) bool { return b.BlockType() == slack.MBTImage }

// untabled returns the blocks without tables and pictures.
func untabled(blocks []slack.Block) []slack.Block {
	return slices.DeleteFunc(slices.Clone(blocks), func(b slack.Block) bool {
		return b.BlockType() == slack.MBTTable || isPicture(b)
	})
}

// options says m with those blocks. No blocks clears those that stood before.
func (m message) options(blocks []slack.Block) []slack.MsgOption {
	options := []slack.MsgOption{
		slack.MsgOptionText(clipMarkup(m.Text, maxPush), false), slack.MsgOptionBlocks(blocks...), slack.MsgOptionParse(false),
		slack.MsgOptionDisableLinkUnfurl(), slack.MsgOptionDisableMediaUnfurl(),
	}
	if m.Metadata != nil {
		options = append(options, slack.MsgOptionMetadata(*m.Metadata))
	}
	return options
}

func (o *outbox) undrawn(ctx context.Context, channel string, cause error) error {
	why := "Slack did not take the blocks, so it was said more plainly: " + detailOf(cause)
	o.log.ErrorContext(ctx, "blocks refused", slog.String("channel", channel), slog.String("why", why))
	e := lifecycle.AuditEvent{At: o.now(), Actor: lifecycle.System, Kind: lifecycle.EventCardFailed, Ref: channel, Detail: map[string]string{"why": why}}
	if err := o.store.Record(ctx, e); err != nil {
		return fmt.Errorf("record refused blocks: %w", err)
	}
	return nil
}

// retrying is whether a call may be repeated when its answer was lost.
type retrying bool

const (
	once  retrying = false
	again retrying = true
)

// call makes one call of a method of which nothing is kept for who waits.
func (o *outbox) call(ctx context.Context, method string, how retrying, f func() error) error {
	return o.callAs(ctx, patient, method, how, f)
}

// callAs makes one call of a method. It honours Retry-After, and repeats what
// may be repeated when the connection fails.
func (o *outbox) callAs(ctx context.Context, r rank, method string, how retrying, f func() error) error {
	g := o.gate(method)
	for try := 1; ; try++ {
		if err := g.pass(ctx, r); err != nil {
			return fmt.Errorf("slack %s: %w", method, err)
		}
		err := f()
		if err == nil {
			return nil
		}
		after, limited := rateLimited(err)
		switch {
		case limited && try < callTries:
			g.closeFor(after)
		case limited:
			return fmt.Errorf("slack %s: %w", method, lifecycle.RetryAfter(err, after))
		case how == again && transient(ctx, err) && try < callTries:
			if waitErr := waitFor(ctx, callPause); waitErr != nil {
				return fmt.Errorf("slack %s: %w", method, err)
			}
		default:
			return fmt.Errorf("slack %s: %w", method, err)
		}
	}
}

func (o *outbox) gate(method string) *gate {
	o.mu.Lock()
	defer o.mu.Unlock()
	g, ok := o.gates[method]
	if !ok {
		g = newGate(o.pace.perMinute[method], o.pace.kept[method])
		o.gates[method] = g
	}
	return g
}

func (o *outbox) lane(channel string) *lane {
	o.mu.Lock()
	defer o.mu.Unlock()
	l, ok := o.lanes[channel]
	if !ok {
		l = newLane(o.pace)
		o.lanes[channel] = l
	}
	return l
}
