package bot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"rolecall/lifecycle"
)

// openView opens a modal. The trigger lives three seconds and works once, so
// this is tried once.
func (o *outbox) openView(ctx context.Context, triggerID string, v slack.ModalViewRequest) error {
	return o.call(ctx, "views.open", once, func() error {
		_, err := o.api.OpenViewContext(ctx, triggerID, v)
		return err
	})
}

// publishHome shows v on the user's Home tab.
func (o *outbox) publishHome(ctx context.Context, user string, v slack.HomeTabViewRequest) error {
	return o.call(ctx, "views.publish", again, func() error {
		_, err := o.api.PublishViewContext(ctx, slack.PublishViewContextRequest{UserID: user, View: v})
		return err
	})
}

// dm returns the id of the direct message with the user: chat.update wants it.
func (o *outbox) dm(ctx context.Context, user string) (channelID string, err error) {
	o.mu.Lock()
	known := o.dms[user]
	o.mu.Unlock()
	if known != "" {
		return known, nil
	}
	err = o.call(ctx, "conversations.open", again, func() error {
		c, _, _, err := o.api.OpenConversationContext(ctx, &slack.OpenConversationParameters{Users: []string{user}})
		if err == nil {
			channelID = c.ID
		}
		return err
	})
	if err != nil {
		return "", err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.dms[user] = channelID
	return channelID, nil
}

// opened notes the direct message that a post to a user went to.
func (o *outbox) opened(user, channelID string) {
	if user == channelID || !strings.HasPrefix(channelID, "D") {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.dms[user] = channelID
}

// permalink returns the address of a message, for whoever can see it.
func (o *outbox) permalink(ctx context.Context, channel, ts string) (link string, err error) {
	err = o.call(ctx, "chat.getPermalink", again, func() error {
		link, err = o.api.GetPermalinkContext(ctx, &slack.PermalinkParameters{Channel: channel, Ts: ts})
		return err
	})
	return link, err
}

// userInfo returns the Slack user with that id.
func (o *outbox) userInfo(ctx context.Context, user string) (found *slack.User, err error) {
	err = o.call(ctx, "users.info", again, func() error {
		found, err = o.api.GetUserInfoContext(ctx, user)
		return err
	})
	return found, err
}

// userByEmail returns the active member with that address; isCode(err,
// "users_not_found") when there is none.
func (o *outbox) userByEmail(ctx context.Context, email string) (found *slack.User, err error) {
	err = o.call(ctx, "users.lookupByEmail", again, func() error {
		found, err = o.api.GetUserByEmailContext(ctx, email)
		return err
	})
	return found, err
}

// authTest returns who the bot token is.
func (o *outbox) authTest(ctx context.Context) (who *slack.AuthTestResponse, err error) {
	err = o.call(ctx, "auth.test", again, func() error {
		who, err = o.api.AuthTestContext(ctx)
		return err
	})
	return who, err
}

const historyPage = 200

// history returns what was said in the channel since then, outside threads,
// newest first, with its metadata.
func (o *outbox) history(ctx context.Context, channel string, since time.Time) ([]slack.Message, error) {
	return o.pages(ctx, "conversations.history", func(cursor string) ([]slack.Message, string, error) {
		page, err := o.api.GetConversationHistoryContext(ctx, &slack.GetConversationHistoryParameters{
			ChannelID: channel, Cursor: cursor, Oldest: slackTime(since), Limit: historyPage, IncludeAllMetadata: true,
		})
		if err != nil {
			return nil, "", err
		}
		return page.Messages, page.ResponseMetaData.NextCursor, nil
	})
}

// replies is history for one thread.
func (o *outbox) replies(ctx context.Context, channel, threadTS string, since time.Time) ([]slack.Message, error) {
	return o.pages(ctx, "conversations.replies", func(cursor string) ([]slack.Message, string, error) {
		page, _, next, err := o.api.GetConversationRepliesContext(ctx, &slack.GetConversationRepliesParameters{
			ChannelID: channel, Timestamp: threadTS, Cursor: cursor, Oldest: slackTime(since), Limit: historyPage, IncludeAllMetadata: true,
		})
		return page, next, err
	})
}

func (o *outbox) pages(ctx context.Context, method string, read func(cursor string) ([]slack.Message, string, error)) ([]slack.Message, error) {
	var all []slack.Message
	for cursor := ""; ; {
		var page []slack.Message
		err := o.call(ctx, method, again, func() (err error) {
			page, cursor, err = read(cursor)
			return err
		})
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if cursor == "" {
			return all, nil
		}
	}
}

func slackTime(t time.Time) string {
	return strconv.FormatInt(t.Unix(), 10) + fmt.Sprintf(".%06d", t.Nanosecond()/1000)
}

// respond answers privately at the response URL of a command or a press; what
// was pressed stays as it is.
func (o *outbox) respond(ctx context.Context, responseURL string, text string, blocks []slack.Block) error {
	if err := o.ours(responseURL); err != nil {
		return err
	}
	send := func(blocks []slack.Block) error {
		return o.call(ctx, "response_url", once, func() error {
			said := slack.WebhookMessage{Text: clipMarkup(text, maxPush), ResponseType: slack.ResponseTypeEphemeral}
			if len(blocks) > 0 {
				said.Blocks = &slack.Blocks{BlockSet: blocks}
			}
			return o.postJSON(ctx, responseURL, said)
		})
	}
	err := send(blocks)
	if !undrawable(err) || len(blocks) == 0 {
		return err
	}
	if recErr := o.undrawn(ctx, "response_url", err); recErr != nil {
		return recErr
	}
	return send(nil)
}

// ours refuses response URLs that are not Slack's: an answer can hold what is
// meant for one person. The host of a test's or the demo's API is its own Slack.
func (o *outbox) ours(responseURL string) error {
	u, err := url.Parse(responseURL)
	if err != nil {
		return errors.New("the response URL is not a URL")
	}
	api, err := url.Parse(o.apiURL)
	if err != nil {
		return fmt.Errorf("parse the Slack API URL: %w", err)
	}
	hooks := u.Scheme == "https" && u.Host == "hooks."+api.Host
	own := u.Scheme == api.Scheme && u.Host == api.Host
	if !hooks && !own {
		return fmt.Errorf("the response URL is at %q, which is not Slack", u.Host)
	}
	return nil
}

const maxAnswer = 64 << 10

func (o *outbox) postJSON(ctx context.Context, target string, body any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode response: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(raw))
	if err != nil {
		return fmt.Errorf("make response: %w", err)
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	resp, err := o.http.Do(req)
	if err != nil {
		return fmt.Errorf("send response: %w", err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	return answered(resp, answer)
}

// answered returns the error that an answer at a response URL is, in the types
// that the library's own calls return. A plain "ok" is success too.
func answered(resp *http.Response, body []byte) error {
	if resp.StatusCode == http.StatusTooManyRequests {
		seconds, err := strconv.Atoi(resp.Header.Get("Retry-After"))
		if err != nil {
			return slack.StatusCodeError{Code: resp.StatusCode, Status: resp.Status}
		}
		return &slack.RateLimitedError{RetryAfter: time.Duration(seconds) * time.Second}
	}
	var said slack.SlackResponse
	if json.Unmarshal(body, &said) == nil && !said.Ok {
		if err := said.Err(); err != nil {
			return err
		}
	}
	if resp.StatusCode != http.StatusOK {
		return slack.StatusCodeError{Code: resp.StatusCode, Status: resp.Status}
	}
	return nil
}

// isCode reports whether err is Slack's answer with one of the codes.
func isCode(err error, codes ...string) bool {
	answer, ok := errors.AsType[slack.SlackErrorResponse](err)
	return ok && slices.Contains(codes, answer.Err)
}

// undrawable reports whether Slack refused the blocks, and nothing else.
func undrawable(err error) bool {
	return isCode(err, "invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long")
}

// detailOf says where and why Slack refused.
func detailOf(err error) string {
	answer, ok := errors.AsType[slack.SlackErrorResponse](err)
	if !ok {
		return err.Error()
	}
	return strings.TrimSpace(answer.Err + " " + strings.Join(answer.ResponseMetadata.Messages, "; "))
}

const unsaidRetryAfter = 5 * time.Second

// rateLimited returns how long Slack wants to be left alone. It does not
// always say.
func rateLimited(err error) (time.Duration, bool) {
	if limited, ok := errors.AsType[*slack.RateLimitedError](err); ok {
		return limited.RetryAfter, true
	}
	if isCode(err, "ratelimited", "rate_limited") {
		return unsaidRetryAfter, true
	}
	status, ok := errors.AsType[slack.StatusCodeError](err)
	return unsaidRetryAfter, ok && status.Code == http.StatusTooManyRequests
}

// transient reports whether the call may have failed for a reason that passes:
// anything but an answer of Slack's below 500.
func transient(ctx context.Context, err error) bool {
	if _, ok := errors.AsType[slack.SlackErrorResponse](err); ok || ctx.Err() != nil {
		return false
	}
	if _, waiting := errors.AsType[*lifecycle.JobError](err); waiting { // it was never sent
		return false
	}
	status, ok := errors.AsType[slack.StatusCodeError](err)
	return !ok || status.Code >= 500
}

// slackCode returns Slack's own word for what is wrong.
func slackCode(err error) string {
	if answer, ok := errors.AsType[slack.SlackErrorResponse](err); ok {
		return answer.Err
	}
	return "no answer"
}
