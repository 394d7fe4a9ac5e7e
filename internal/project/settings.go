package project

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/names"
	"github.com/hsharness/hsharness/internal/nomenclature"
	"github.com/hsharness/hsharness/internal/notice"
	"github.com/hsharness/hsharness/internal/pace"
	"github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/internal/strict"
	"github.com/hsharness/hsharness/quota"
)

// maxCost bounds a price, in units, far from overflow.
const maxCost = 1_000_000

// SchemaID is the $id of the project file's schema, and where editors find that of
// the newest release.
const SchemaID = "https://raw.githubusercontent.com/hsharness/hsharness/main/docs/hsharness.schema.json"

// Settings is the table of everything that a project file may say.
func Settings() strict.Table {
	const most = quota.MaxUnits
	modes := guard.ModeNames()
	real := guard.RealSandbox()
	exhausted := guard.DefaultExhausted()
	text, number, list, object := strict.Text, strict.Integer, strict.List, strict.Object
	return strict.Table{Title: "hsharness project file", ID: SchemaID, Version: 1, Settings: []strict.Setting{
		{Path: "allowance", Kind: object, Doc: "What the account may spend. Read by quota init; a difference to the ledger is a warning later."},
		{Path: "allowance.name", Kind: text, Default: "sandbox", Doc: "The allowance's name in the ledger."},
		{Path: "allowance.granted", Kind: number, Max: most, Doc: "Units that the account may spend in all, ever."},
		{Path: "allowance.spent_before", Kind: number, Max: most, Default: "0", Doc: "Units that were spent before there was a ledger."},
		{Path: "allowance.floor", Kind: number, Max: most, Default: "0", Doc: "Units that ordinary runs may not touch."},
		{Path: "allowance.warn_at", Kind: text, Form: "^(100|[1-9][0-9]?)%$", Check: check(ParsePercent), Want: "a percentage such as 70%", Doc: "The share of granted from which status and doctor warn, such as 70%."},

		{Path: "ledger", Kind: text, Check: checkVariables, Want: variablesWanted, Default: DefaultLedger, Doc: "Where the ledger is: sqlite:PATH, relative to this file, or postgres://…"},

		{Path: "environments", Kind: object, Doc: "The one environment that may ever be called."},
		{Path: "environments.sandbox", Kind: object, Doc: "Where the sandbox is, and who asks. URLs have a scheme and a host and no path; as soon as one is on loopback, all that are used must be."},
		{Path: "environments.sandbox.identity_url", Kind: text, Check: checkVariables, Want: variablesWanted, Default: real.Identity, Doc: "The identity service."},
		{Path: "environments.sandbox.api_url", Kind: text, Check: checkVariables, Want: variablesWanted, Default: real.APIs[avalara.Current], Doc: "The current API."},
		{Path: "environments.sandbox.legacy_api_url", Kind: text, Check: checkVariables, Want: variablesWanted, Default: real.APIs[avalara.Legacy], Doc: "The legacy API. Its sandbox host is unknown, so record and live need this to use it."},
		{Path: "environments.sandbox.managed_api_url", Kind: text, Check: checkVariables, Want: variablesWanted, Default: real.APIs[avalara.Managed], Doc: "The managed API."},
		{Path: "environments.sandbox.client_id", Kind: text, Check: checkVariables, Want: variablesWanted, Doc: "The real client id."},
		{Path: "environments.sandbox.client_secret", Kind: text, Check: checkVariables, Want: variablesWanted, Secret: true, Doc: "The real client secret. Only the guard ever sees it."},
		{Path: "environments.sandbox.proxy", Kind: text, Secret: true, Check: guard.CheckProxy, Want: "none, environment, or a URL such as http://proxy.example:3128", Default: "environment", Doc: "What the guard's own connections go through: none, a proxy's URL, or environment for HTTPS_PROXY, HTTP_PROXY and NO_PROXY. Loopback is never asked through one. doctor and the bill name it."},

		{Path: "operations", Kind: list, Doc: "Prices, before the built-in ones: the first match wins."},
		{Path: "operations[].match", Kind: text, Required: true, Form: "^[A-Z]+ /", Want: "a method and a path such as POST /hscode/hints", Doc: "A method and a path, such as POST /hscode/hints; * is any text within one segment, ** any number of segments."},
		{Path: "operations[].cost", Kind: number, Required: true, Max: maxCost, Doc: "Units a request, or an item where items is given. There are no parts of a unit."},
		{Path: "operations[].items", Kind: text, Form: "^/", Want: "a JSON pointer such as /items", Doc: "JSON pointer to the array whose items are paid for one by one, such as /items."},

		{Path: "budgets", Kind: list, Doc: "Rules that tighten what the ledger allows: the first match wins. Each has to do something."},
		{Path: "budgets[].match", Kind: object, Doc: "Whose runs, by glob; what is not named matches all."},
		{Path: "budgets[].match.suite", Kind: text, Doc: "The suite: --suite, else the CI job, else the folder."},
		{Path: "budgets[].match.branch", Kind: text, Doc: "The branch; of a tag tag: and its name, such as tag:v*. What restricts goes by the branch that is claimed, may_use_floor by that whose code is known to run: see CI."},
		{Path: "budgets[].match.actor", Kind: text, Doc: "Who started it."},
		{Path: "budgets[].match.event", Kind: text, Doc: "push, pull_request, schedule, manual, or the CI system's own word."},
		{Path: "budgets[].max_per_run", Kind: number, Min: 1, Max: most, Doc: "Units a run. Without it there is no limit; for none at all say block."},
		{Path: "budgets[].max_per_day", Kind: number, Min: 1, Max: most, Doc: "Units a day of UTC, over all matching runs. Without it there is no limit."},
		{Path: "budgets[].max_total", Kind: number, Min: 1, Max: most, Doc: "Units over all matching runs, ever. Without it there is no limit."},
		{Path: "budgets[].may_use_floor", Kind: strict.Boolean, Default: "false", Doc: "Matching runs may spend below the floor."},
		{Path: "budgets[].block", Kind: strict.Boolean, Default: "false", Doc: "Matching runs are refused."},

		{Path: "per_run", Kind: number, Min: 1, Max: most, Doc: "The amount of a run without --max-spend. Without it the amount has to be typed."},

		{Path: "rate", Kind: list, NotEmpty: true, Doc: "How many requests may go to the sandbox in a time, such as [20/1m, 25/1s]. The ledger holds it, for all runs, processes and machines together: requests wait their turn, and an answer 429 with Retry-After pauses the account in place of stopping the run. Without it nothing waits."},
		{Path: "rate[]", Kind: text, Form: pace.Form, Check: check(pace.Parse), Want: pace.Wanted},

		{Path: "exec", Kind: object, Doc: "What the commands of exec and of exec steps get, and the readers of serve --env-file."},
		{Path: "exec.env", Kind: strict.Map, NameForm: names.NameForm, CheckName: names.CheckName, Form: names.TextForm(), Check: names.CheckText, Want: "names of variables, with a text each", Doc: "Variables by the names that the code reads. Placeholders: {" + strings.Join(names.Placeholders(), "} {") + "}; {{ and }} are braces. --env wins over it."},
		{Path: "exec.forward", Kind: list, Doc: "Ports of this machine's loopback that a sealed command can reach, such as 5432 for its database."},
		{Path: "exec.forward[]", Kind: number, Min: 1, Max: 65535, Doc: "One port. --forward adds to them."},

		{Path: "recordings", Kind: object, Doc: "The answers that were bought."},
		{Path: "recordings.dir", Kind: text, Default: DefaultRecordings, Doc: "Their folder, relative to this file."},
		{Path: "recordings.max_age", Kind: text, Form: "^([0-9]+d|([0-9.]+(ns|us|µs|ms|s|m|h))+)$", Check: check(ParseAge), Want: "an age such as 180d", Doc: "The age from which recordings ls calls one old, such as 180d; prune takes it where --older-than is not given."},
		{Path: "recordings.expired", Kind: text, Values: []string{"warn", Fail}, Default: "warn", Doc: "What a recording older than max_age does where it answers: warn counts it, fail fails the run too, exit code 3."},
		{Path: "recordings.on_miss", Kind: text, Values: []string{guard.FailMiss, guard.MockMiss}, Default: guard.FailMiss, Doc: "What a replay does with what was never bought: fail is exit code 3, mock lets the mock API answer, and marks it in verdict and bill. Where CI is set, only this setting can say mock, no flag. A gateway always fails."},
		{Path: "recordings.ignore", Kind: list, Doc: "JSON pointers, with * for any index or name, of body fields that don't make two requests different."},
		{Path: "recordings.ignore[]", Kind: text, Form: "^/", Check: recording.CheckIgnore, Want: "a JSON pointer such as /items/*/sku"},
		{Path: "recordings.headers", Kind: list, Doc: "Request headers that make two requests different, besides Accept-Language."},
		{Path: "recordings.headers[]", Kind: text, Check: recording.CheckHeader, Want: "the name of a header that says what is asked, not who asks or when"},
		{Path: "recordings.answers", Kind: list, NotEmpty: true, Doc: "The statuses that are answers, such as 2xx or 404; others are kept and never served. Without it: 2xx and 4xx but for 401, 402, 403, 407, 408 and 429. What policy.exhausted recognizes is none in any case."},
		{Path: "recordings.answers[]", Kind: strict.TextOrInteger, Min: 100, Max: 599, Form: "^[1-5]xx$", Want: "a status such as 404, or a class such as 2xx"},
		{Path: "recordings.drift", Kind: list, NotEmpty: true, Doc: "What counts as a change where an answer is bought again; the first rule whose place fits holds. Where none does, an HS code that changed in any digit counts, wherever it stands, and other values do not."},
		{Path: "recordings.drift[].at", Kind: text, Required: true, Form: `^(\*$|/)`, Check: checkDriftPlace, Want: "a JSON pointer such as /hsCode or /items/*/hsCode, or * for every place", Doc: "The place in the answer's body, and what is below it."},
		{Path: "recordings.drift[].digits", Kind: number, Min: 2, Max: 12, Doc: "Compare so many digits of the codes there, such as 6 for the subheading."},
		{Path: "recordings.drift[].within", Kind: strict.Decimal, Max: most, Doc: "Numbers there may differ by so much."},
		{Path: "recordings.drift[].ignore", Kind: strict.Boolean, Doc: "true: nothing there counts, not even its type. A rule with a place and nothing more makes every other value there a change."},
		{Path: "recordings.share", Kind: text, Values: []string{ShareLedger}, Doc: "ledger: answers are kept in the ledger's database too, a postgres:// one, and whoever buys asks there first. Without it machines need a folder in common."},
		{Path: "recordings.keep", Kind: text, Form: "^[1-9][0-9]*d$", Check: check(ParseAge), Want: "a number of days such as 400d", Doc: "How long an answer is shared after it was bought, such as 400d; then it is removed from the database. Without it for ever."},
		{Path: "recordings.max_size", Kind: text, Form: "^[1-9][0-9]{0,6}(KB|MB|GB)$", Check: check(ParseSize), Want: "a size such as 512MB", Doc: "How much is shared at most, such as 512MB. What has no room stays in the folder of who bought it, and is said. Without it there is no limit."},

		{Path: "notify", Kind: list, Doc: "Who is told when the allowance goes down: each mark once, whichever run or machine passes it; see notices."},
		{Path: "notify[].at", Kind: list, Required: true, NotEmpty: true, Doc: "The marks: shares of what was granted, such as 70%; exhausted, when nothing is left or the service said so; blocked, when a run is refused, once a day by the same rule."},
		{Path: "notify[].at[]", Kind: text, Form: "^(100%|[1-9][0-9]?%|exhausted|blocked)$", Check: check(notice.ParseMark), Want: "a percentage such as 70%, exhausted or blocked"},
		{Path: "notify[].url", Kind: text, Required: true, Secret: true, Check: checkHook, Want: "an https:// URL, or a text whose variables are ${NAME} or ${NAME:-default}", Doc: "Where to: a hook of Slack or Teams, or a server of yours. It is a secret, and is shown nowhere: name a variable, such as ${HOOK}. http:// is for loopback alone."},
		{Path: "notify[].template", Kind: text, Values: []string{"slack", "teams", "json"}, Default: "json", Doc: "What is sent: a message of Slack, a card for a workflow of Teams, or a JSON object."},

		{Path: "schedules", Kind: strict.Map, NameForm: "^[A-Z]{2}$", CheckName: nomenclature.CheckCountry, Form: `^[^\x00{}$]+$`, Check: checkScheduleFile, Want: "countries, with a file each, such as { GB: tariff.csv }", Doc: "Files with the codes that can be declared in a country, or in all of the European Union: EU. A CSV with the columns code and description, relative to this file. They win over HTS 2026 and CN 2026, which come with the program; for other countries nobody knows which codes are legal without one."},

		{Path: "policy", Kind: object, Doc: "How far runs may go."},
		{Path: "policy.mode", Kind: text, Values: modes, Default: "live", Doc: "The most that any run of this project may do."},
		{Path: "policy.ci", Kind: strict.TextOrList, Values: modes, Default: "replay", Doc: "The most where CI is set: one mode, or rules of which the first that matches holds; without a match it is replay."},
		{Path: "policy.ci[].event", Kind: strict.Texts, Doc: "What started the run: push, pull_request, schedule, manual."},
		{Path: "policy.ci[].branch", Kind: strict.Texts, Doc: "The branch whose code is known to run; of a tag tag: and its name, such as tag:v*. One that is only claimed lowers the mode and raises none: see CI."},
		{Path: "policy.ci[].mode", Kind: text, Required: true, Values: modes, Doc: "The most that it may do."},
		{Path: "policy.ci_ledger", Kind: text, Values: []string{"shared", "local"}, Default: "shared", Doc: "Where CI is set, shared refuses a ledger in a file, because the disk may not outlive the job; local says that it does."},
		{Path: "policy.loopback", Kind: text, Values: []string{exempt}, Doc: "exempt: where CI is set and all URLs of the sandbox are on loopback, policy.ci and policy.ci_ledger don't hold. Without it they do."},
		{Path: "policy.on_blocked", Kind: text, Values: []string{"fail", "replay"}, Default: "fail", Doc: "What becomes of a record run that gets no units: replay goes on without buying, and says so."},
		{Path: "policy.unasked", Kind: text, Values: []string{"warn", "fail"}, Default: "warn", Doc: "What becomes of an exec whose command sent nothing to the guard: fail makes it exit code 6."},
		{Path: "policy.sealed", Kind: text, Values: []string{"optional", "required"}, Default: "optional", Doc: "required: in the modes record and live, exec needs --sealed, run with exec steps needs an exec --sealed around it, and a gateway is refused."},
		{Path: "policy.unbilled", Kind: list, Default: "[]", Doc: "Statuses that the service is known not to count: their units come back."},
		{Path: "policy.unbilled[]", Kind: number, Min: 100, Max: 599},
		{Path: "policy.exhausted", Kind: list, Default: fmt.Sprintf("[{ number: %d }, { status: %d }]", exhausted[0].Number, exhausted[1].Status), Doc: "Answers that mean that nothing is left: all further runs are blocked. A rule has one of both, or both."},
		{Path: "policy.exhausted[].number", Kind: number, Min: 1, Max: 1_000_000, Doc: "An error number in the body."},
		{Path: "policy.exhausted[].status", Kind: number, Min: 400, Max: 599, Doc: "The HTTP status."},
	}}
}

// at is the path of an item.
func at(list string, i int) string { return list + "[" + strconv.Itoa(i) + "]" }

// check makes a check of a parser.
func check[T any](parse func(string) (T, error)) func(string) error {
	return func(text string) error {
		_, err := parse(text)
		return err
	}
}

// checkScheduleFile takes the name of a file.
func checkScheduleFile(text string) error {
	if text == "" || strings.ContainsAny(text, "\x00{}$") {
		return fmt.Errorf("%q is no file's name", text)
	}
	return nil
}

// maxAgeDays is a hundred years, which fit into a time.Duration.
const maxAgeDays = 36500

// ParseAge reads an age: a Go duration, or whole days such as 180d. The empty
// text is an error with the age 0.
func ParseAge(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.Atoi(days)
		if err != nil || n < 0 || n > maxAgeDays || days != strconv.Itoa(n) {
			return 0, fmt.Errorf("%q is no number of days, want 0 to %d", days, maxAgeDays)
		}
		return time.Duration(n) * 24 * time.Hour, nil
	}
	age, err := time.ParseDuration(text)
	if err == nil && (age < 0 || age > maxAgeDays*24*time.Hour) {
		return 0, fmt.Errorf("%q is no age, want 0 to %d days", text, maxAgeDays)
	}
	return age, err
}

// ParsePercent reads a whole percentage from 1% to 100%. The empty text is an
// error with the value 0.
func ParsePercent(text string) (int64, error) {
	digits, ok := strings.CutSuffix(text, "%")
	n, err := strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil || n < 1 || n > 100 || digits != strconv.FormatInt(n, 10) {
		return 0, fmt.Errorf("%q is no percentage", text)
	}
	return n, nil
}

// checkDriftPlace checks the place of a rule for changed answers.
func checkDriftPlace(text string) error {
	if text == "*" {
		return nil
	}
	return recording.CheckIgnore(text)
}
