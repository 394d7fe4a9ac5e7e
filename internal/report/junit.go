package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// The format has no standard. This is the part of it that readers agree on:
// https://github.com/testmoapp/junitxml
type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Skipped  int          `xml:"skipped,attr,omitempty"`
	Time     string       `xml:"time,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name       string          `xml:"name,attr"`
	File       string          `xml:"file,attr"`
	Tests      int             `xml:"tests,attr"`
	Failures   int             `xml:"failures,attr"`
	Skipped    int             `xml:"skipped,attr,omitempty"`
	Time       string          `xml:"time,attr"`
	Properties []junitProperty `xml:"properties>property"`
	Cases      []junitCase     `xml:"testcase"`
}

type junitCase struct {
	Name       string          `xml:"name,attr"`
	Class      string          `xml:"classname,attr"`
	File       string          `xml:"file,attr"`
	Line       int             `xml:"line,attr"`
	Time       string          `xml:"time,attr"`
	Properties []junitProperty `xml:"properties>property"`
	Skipped    *junitSkipped   `xml:"skipped"`
	Failure    *junitFailure   `xml:"failure"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitSkipped struct {
	Message string `xml:"message,attr"`
}

type junitFailure struct {
	Type    string `xml:"type,attr"`
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// JUnit writes a run as JUnit XML, a testsuite a scenario and a testcase a case,
// with the units as properties. Characters that XML can't have are spelled.
func JUnit(w io.Writer, r Run) error {
	r = r.legible()
	out := junitSuites{Name: "hsharness", Time: seconds(r.Elapsed.Milliseconds())}
	for _, s := range r.Scenarios {
		suite := junitSuite{Name: s.Name, File: s.File, Time: seconds(s.ElapsedMS), Properties: []junitProperty{
			{"mode", r.Bill.Mode}, {"verdict", string(s.Verdict)}, {"units", strconv.Itoa(s.Spend)}, {"calls", strconv.Itoa(s.Calls)},
		}}
		for _, c := range s.Cases {
			suite.Tests++
			one := junitCase{Name: c.Name, Class: s.File, File: s.File, Line: 1, Time: seconds(c.ElapsedMS), Properties: []junitProperty{
				{"verdict", string(c.Verdict)}, {"units", strconv.Itoa(c.Spend)}, {"calls", strconv.Itoa(c.Calls)},
			}}
			if c.Row != "" {
				one.Properties = append(one.Properties, junitProperty{"row", c.Row})
			}
			if one.Name == "" {
				one.Name = s.Name
			}
			if c.Verdict == Skipped {
				suite.Skipped++
				one.Skipped = &junitSkipped{Message: c.Why}
			}
			if c.Verdict.Failed() {
				suite.Failures++
				one.Failure = &junitFailure{Type: string(c.Verdict)}
				var text strings.Builder // there may be hundreds, each with its exchange
				for i, f := range c.Failures {
					if i == 0 {
						one.Line, one.Failure.Message = max(1, f.Line), f.Message
					}
					text.WriteString(f.String() + "\n")
				}
				one.Failure.Text = text.String()
			}
			suite.Cases = append(suite.Cases, one)
		}
		for _, score := range s.Scores {
			for _, g := range score.Groups {
				suite.gates(s, score, g)
			}
		}
		out.Tests, out.Failures, out.Skipped = out.Tests+suite.Tests, out.Failures+suite.Failures, out.Skipped+suite.Skipped
		out.Suites = append(out.Suites, suite)
	}
	data, err := xml.MarshalIndent(out, "", "  ")
	if err == nil {
		_, err = fmt.Fprintf(w, "%s%s\n", xml.Header, data)
	}
	return err
}

// gates adds a testcase for each gate of a group.
func (suite *junitSuite) gates(s Scenario, score Score, g ScoreGroup) {
	for _, m := range g.Metrics {
		if m.Gate == "" {
			continue
		}
		suite.Tests++
		one := junitCase{
			Name: fmt.Sprintf("score %s of step %s, %s", m.Name, score.Step, score.Title(g)), Class: s.File, File: s.File, Line: 1, Time: seconds(0),
			Properties: []junitProperty{{"verdict", score.State(m)}, {"right", strconv.Itoa(m.Right)}, {"of", strconv.Itoa(m.Of)}},
		}
		if !m.Met && score.NotJudged == "" {
			suite.Failures++
			one.Failure = &junitFailure{Type: "score", Message: m.Name + ": " + m.String(), Text: score.State(m)}
		}
		suite.Cases = append(suite.Cases, one)
	}
}

func seconds(ms int64) string { return strconv.FormatFloat(float64(ms)/1000, 'f', 3, 64) }
