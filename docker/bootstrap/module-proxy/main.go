// module-proxy makes a file proxy for Go modules (GOPROXY=file://OUT) of Debian's packages of Go sources, with what the
// named programs and packages need to be built for Linux, and nothing else.
//
//	module-proxy APT_CONF OUT TOOLS PACKAGE... <CONTENTS
//
// TOOLS is the list of programs (docker/go-build/tools); PACKAGE the import path of a package that is wanted besides, its
// tests not. CONTENTS is Debian's list of files, a line "path  section/package" each. Packages are fetched by apt-get as
// APT_CONF sets it up (apt-elsewhere).
//
// In a file proxy each module has one version, the one that Debian has, and each go.mod asks for just these. OUT/tools is the
// list of programs with these versions, and a line "- PROGRAM PACKAGE" for each that Debian has not all sources of.
package main

import (
	"archive/zip"
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"go/build"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

func main() {
	if len(os.Args) < 4 {
		fail(errors.New("module-proxy APT_CONF OUT TOOLS PACKAGE... <CONTENTS"))
	}
	if err := run(apt(os.Args[1]), os.Args[2], os.Args[3], os.Args[4:]); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "module-proxy:", err)
	os.Exit(1)
}

func run(apt apt, out, list string, wanted []string) error {
	tools, err := readTools(list)
	if err != nil {
		return err
	}
	archive, err := readContents(os.Stdin)
	if err != nil {
		return err
	}
	roots := slices.Clone(wanted)
	for _, tool := range tools {
		for _, program := range tool.programs {
			roots = append(roots, program.path)
		}
	}
	world, err := gather(apt, archive, roots)
	if err != nil {
		return err
	}
	if err := world.write(out); err != nil {
		return err
	}
	return writeTools(filepath.Join(out, "tools"), tools, world)
}

// --- the list of programs -------------------------------------------------------------------------------------------

type tool struct {
	module   string
	programs []program
}

type program struct {
	word string // as the list has it: name=directory
	path string // import path
	name string
}

func readTools(list string) ([]tool, error) {
	text, err := os.ReadFile(list)
	if err != nil {
		return nil, err
	}
	var tools []tool
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if len(words) < 3 {
			return nil, fmt.Errorf("%s: want MODULE VERSION NAME=DIRECTORY..., and found %q", list, line)
		}
		found := tool{module: words[0]}
		for _, word := range words[2:] {
			name, directory, named := strings.Cut(word, "=")
			if !named {
				return nil, fmt.Errorf("%s: want NAME=DIRECTORY, and found %q", list, word)
			}
			found.programs = append(found.programs, program{word, path.Join(words[0], directory), name})
		}
		tools = append(tools, found)
	}
	return tools, nil
}

func writeTools(file string, tools []tool, world *world) error {
	var text strings.Builder
	for _, tool := range tools {
		var there, missing []string
		for _, program := range tool.programs {
			if lacks := world.missing(program.path, map[string]bool{}); lacks == "" {
				there = append(there, program.word)
			} else {
				missing = append(missing, program.name+" "+lacks)
			}
		}
		if there != nil {
			fmt.Fprintln(&text, tool.module, world.modules[tool.module].version, strings.Join(there, " "))
		}
		for _, name := range missing {
			fmt.Fprintln(&text, "-", name)
		}
	}
	return os.WriteFile(file, []byte(text.String()), 0o644)
}

// --- Debian's archive -----------------------------------------------------------------------------------------------

const gopath = "usr/share/gocode/src/"

// Import path -> the packages of Debian that have Go files of it.
type archive map[string][]string

func readContents(from io.Reader) (archive, error) {
	found := archive{}
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		file, where, _ := strings.Cut(lines.Text(), " ")
		if !strings.HasPrefix(file, gopath) || !strings.HasSuffix(file, ".go") {
			continue
		}
		at := path.Dir(strings.TrimPrefix(file, gopath))
		for _, section := range strings.Split(strings.TrimSpace(where), ",") {
			if name := path.Base(section); !slices.Contains(found[at], name) {
				found[at] = append(found[at], name)
			}
		}
	}
	return found, lines.Err()
}

// Modules that Debian replaces by the one that they were forked from.
var replaced = map[string]string{
	"github.com/dnephin/pflag": "github.com/spf13/pflag", // gotestsum's, by its Debian package
}

var inVersion = regexp.MustCompile(`/v[1-9]\d*(/|$)`)

// Where Debian has a package: the directory of a module's later version is left out where there is one version only.
func (a archive) place(at string) string {
	for fork, of := range replaced {
		if at == fork || strings.HasPrefix(at, fork+"/") {
			at = of + strings.TrimPrefix(at, fork)
		}
	}
	if a[at] == nil {
		if without := inVersion.ReplaceAllString(at, "$1"); a[without] != nil {
			return without
		}
	}
	return at
}

// Debian has some modules whole only as source packages: without the program, or with nothing but it.
func (w *world) fetchSource(at string) error {
	// It is called what go install would call the program: a last element that is a version is left out.
	name := path.Base(at)
	if majorVersion.MatchString(name) {
		name = path.Base(path.Dir(at))
	}
	names := []string{name}
	for known, packages := range w.archive {
		if strings.HasPrefix(known, at+"/") {
			names = append(names, packages...)
		}
	}
	for _, name := range names {
		downloads, err := os.MkdirTemp(w.downloads, "source")
		if err != nil {
			return err
		}
		if w.apt.get(downloads, "source", "--download-only", "--tar-only", name) != nil {
			continue // there is none of this name
		}
		tarballs, err := filepath.Glob(filepath.Join(downloads, "*.orig.tar.*"))
		if err != nil || len(tarballs) != 1 {
			continue
		}
		_, version, _ := strings.Cut(filepath.Base(tarballs[0]), "_")
		version, _, _ = strings.Cut(version, ".orig.")
		unpacked := filepath.Join(downloads, "unpacked")
		if err := os.Mkdir(unpacked, 0o755); err != nil {
			return err
		}
		if err := command("tar", "--extract", "--strip-components=1", "--directory", unpacked, "--file", tarballs[0]); err != nil {
			return err
		}
		text, err := os.ReadFile(filepath.Join(unpacked, "go.mod"))
		if err != nil {
			continue // of another program of this name
		}
		if line := moduleLine.FindStringSubmatch(string(text)); line != nil && (line[1] == at || strings.HasPrefix(at, line[1]+"/")) {
			return w.put(unpacked, line[1], version)
		}
	}
	return nil
}

func (w *world) put(unpacked, module, version string) error {
	to := filepath.Join(w.src(), module)
	w.versions[module] = version
	return errors.Join(os.RemoveAll(to), os.MkdirAll(filepath.Dir(to), 0o755), os.Rename(unpacked, to))
}

// Go has the sources of a few modules of its own, for its own commands (src/cmd/vendor/modules.txt).
func (w *world) takeOfGo(at string) error {
	vendor := filepath.Join(build.Default.GOROOT, "src/cmd/vendor")
	if _, err := os.Stat(filepath.Join(vendor, at)); err != nil {
		return nil
	}
	text, err := os.ReadFile(filepath.Join(vendor, "modules.txt"))
	if err != nil {
		return err
	}
	for _, found := range vendored.FindAllStringSubmatch(string(text), -1) {
		module, version, language := found[1], found[2], found[3]
		if at != module && !strings.HasPrefix(at, module+"/") {
			continue
		}
		copied := filepath.Join(w.downloads, path.Base(module))
		if err := os.CopyFS(copied, os.DirFS(filepath.Join(vendor, module))); err != nil {
			return err
		}
		mod := fmt.Sprintf("module %s\n\ngo %s\n", module, language)
		if err := os.WriteFile(filepath.Join(copied, "go.mod"), []byte(mod), 0o644); err != nil {
			return err
		}
		return w.put(copied, module, version)
	}
	return nil
}

// Fetches packages of Debian and unpacks them into one tree, as they would be installed.
func (w *world) fetch(names []string) error {
	names = slices.DeleteFunc(names, func(name string) bool { return w.fetched[name] })
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) == 0 {
		return nil
	}
	if err := w.apt.get(w.downloads, append([]string{"download"}, names...)...); err != nil {
		return err
	}
	for _, name := range names {
		w.fetched[name] = true
		files, err := filepath.Glob(filepath.Join(w.downloads, name+"_*.deb"))
		if err != nil || len(files) != 1 {
			return fmt.Errorf("apt-get download %s left %d files", name, len(files))
		}
		if err := command("dpkg-deb", "--extract", files[0], w.root); err != nil {
			return err
		}
		contents, err := exec.Command("sh", "-c", `dpkg-deb --fsys-tarfile "$1" | tar --list`, "sh", files[0]).Output()
		if err != nil {
			return fmt.Errorf("%s: %w", files[0], err)
		}
		version := strings.ReplaceAll(strings.Split(filepath.Base(files[0]), "_")[1], "%3a", ":")
		for file := range strings.Lines(string(contents)) {
			if at, in := strings.CutPrefix(strings.TrimSpace(file), "./"+gopath); in {
				w.versions[path.Dir(at)] = version
			}
		}
	}
	return nil
}

// A configuration of apt's.
type apt string

func (config apt) get(directory string, arguments ...string) error {
	run := exec.Command("apt-get", append([]string{"-qq", "-c", string(config), "-o", "APT::Sandbox::User=root"}, arguments...)...)
	run.Dir = directory
	if said, err := run.CombinedOutput(); err != nil {
		return fmt.Errorf("apt-get %s: %w: %s", strings.Join(arguments, " "), err, said)
	}
	return nil
}

func command(name string, arguments ...string) error {
	if said, err := exec.Command(name, arguments...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, said)
	}
	return nil
}

// --- what is needed -------------------------------------------------------------------------------------------------

type world struct {
	apt       apt
	archive   archive
	root      string // of the unpacked packages
	downloads string
	fetched   map[string]bool
	versions  map[string]string   // directory of a package's files -> Debian's version of that
	imports   map[string][]string // package -> what it imports, of Debian's; nil: it is not there
	modules   map[string]*module
}

type module struct {
	path      string
	directory string // below gopath
	version   string
	language  string // of its go.mod; "": none
	requires  map[string]bool
}

func (w *world) src() string { return filepath.Join(w.root, gopath) }

// Follows the imports from the roots, fetching what has them.
func gather(apt apt, archive archive, roots []string) (*world, error) {
	root, err := os.MkdirTemp("", "gocode")
	if err != nil {
		return nil, err
	}
	downloads, err := os.MkdirTemp("", "downloads")
	if err != nil {
		return nil, err
	}
	w := &world{apt: apt, archive: archive, root: root, downloads: downloads, fetched: map[string]bool{}, versions: map[string]string{},
		imports: map[string][]string{}, modules: map[string]*module{}}
	for next := roots; len(next) > 0; {
		var packages []string
		for _, at := range next {
			packages = append(packages, archive[archive.place(at)]...)
		}
		if err := w.fetch(packages); err != nil {
			return nil, err
		}
		var found []string
		for _, at := range next {
			if archive[archive.place(at)] == nil {
				if slices.Contains(roots, at) {
					err = w.fetchSource(at)
				} else {
					err = w.takeOfGo(at)
				}
				if err != nil {
					return nil, err
				}
			}
			w.imports[at] = importsOf(filepath.Join(w.src(), archive.place(at)))
			found = append(found, w.imports[at]...)
		}
		slices.Sort(found)
		next = nil
		for _, at := range slices.Compact(found) {
			if _, known := w.imports[at]; !known {
				next = append(next, at)
			}
		}
	}
	return w, w.findModules()
}

// What the package in a directory imports that is not Go's own, built for any of our architectures; nil if there is none.
func importsOf(directory string) []string {
	var found []string
	there := false
	for _, arch := range []string{"amd64", "arm64", "ppc64le", "s390x"} {
		context := build.Default
		context.GOOS, context.GOARCH, context.CgoEnabled = "linux", arch, false
		// An error of one file, as of two packages in one directory, is the compiler's to report.
		pkg, _ := context.ImportDir(directory, build.IgnoreVendor)
		if len(pkg.GoFiles) == 0 {
			continue
		}
		there = true
		for _, at := range pkg.Imports {
			if strings.Contains(strings.Split(at, "/")[0], ".") {
				found = append(found, at)
			}
		}
	}
	if there && found == nil {
		found = []string{}
	}
	return found
}

// What of a package and all that it imports is not there; "": nothing.
func (w *world) missing(at string, seen map[string]bool) string {
	if seen[at] {
		return ""
	}
	seen[at] = true
	if w.imports[at] == nil {
		return at
	}
	for _, imported := range w.imports[at] {
		if missing := w.missing(imported, seen); missing != "" {
			return missing
		}
	}
	return ""
}

// --- modules --------------------------------------------------------------------------------------------------------

var (
	moduleLine   = regexp.MustCompile(`(?m)^module\s+"?([^\s"]+)"?`)
	goLine       = regexp.MustCompile(`(?m)^go\s+(\S+)`)
	versionConst = regexp.MustCompile(`(?m)^\s*(?:const|var)?\s*[vV]ersion\s*=\s*"(\d+\.\d+\.\d+)"`)
	vendored     = regexp.MustCompile(`(?m)^# (\S+) (v\S+)\n## (?:explicit; )?go (\S+)`)
	majorVersion = regexp.MustCompile(`^v[2-9]\d*$|^v1\d+$`)
	snapshot     = regexp.MustCompile(`^(\d+(?:\.\d+)*)[~+]+git(\d{8})\.([0-9a-f]{7,12})`)
	release      = regexp.MustCompile(`^(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:~(alpha|beta|rc)[.\d]*)?`)
)

// Finds the module of each package, and what each module needs of others.
func (w *world) findModules() error {
	of := map[string]*module{}
	for at, imports := range w.imports {
		if imports == nil {
			continue
		}
		found, err := w.moduleOf(at)
		if err != nil {
			return err
		}
		of[at] = found
	}
	for at, imports := range w.imports {
		for _, imported := range imports {
			if to := of[imported]; to != nil && to != of[at] {
				of[at].requires[to.path] = true
			}
		}
	}
	// A go.mod lists all that a build of the module needs, however far (go.dev/ref/mod#graph-pruning).
	for changed := true; changed; {
		changed = false
		for _, from := range w.modules {
			for required := range from.requires {
				for further := range w.modules[required].requires {
					if further != from.path && !from.requires[further] {
						from.requires[further], changed = true, true
					}
				}
			}
		}
	}
	return nil
}

// The module of a package is the nearest directory above with a go.mod; without any, the one that Debian's package begins with.
func (w *world) moduleOf(at string) (*module, error) {
	real := w.archive.place(at)
	for directory := real; directory != "."; directory = path.Dir(directory) {
		text, err := os.ReadFile(filepath.Join(w.src(), directory, "go.mod"))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		line := moduleLine.FindStringSubmatch(string(text))
		if line == nil {
			return nil, fmt.Errorf("%s/go.mod names no module", directory)
		}
		language := ""
		if found := goLine.FindStringSubmatch(string(text)); found != nil {
			language = found[1]
		}
		name := line[1]
		if at != name && !strings.HasPrefix(at, name+"/") {
			// It has changed its name since, or is imported by a fork's.
			name = strings.TrimSuffix(at, strings.TrimPrefix(real, directory))
		}
		return w.module(name, directory, language)
	}
	directory := real
	for parent := path.Dir(directory); w.versions[parent] != "" && strings.Contains(parent, "/"); parent = path.Dir(parent) {
		if files, _ := filepath.Glob(filepath.Join(w.src(), parent, "*.go")); files != nil {
			directory = parent
		}
	}
	return w.module(directory, directory, "")
}

func (w *world) module(name, directory, language string) (*module, error) {
	if known := w.modules[name]; known != nil {
		return known, nil
	}
	debian, err := w.debianVersion(directory)
	if err != nil {
		return nil, err
	}
	nested := false
	for above := path.Dir(directory); above != "."; above = path.Dir(above) {
		if _, err := os.Stat(filepath.Join(w.src(), above, "go.mod")); err == nil && !majorVersion.MatchString(path.Base(directory)) {
			nested = true
		}
	}
	version, err := versionOf(name, debian)
	if err != nil {
		return nil, err
	}
	if nested {
		// A module within another has versions of its own, which Debian's package, named after the outer one, does not tell.
		text, _ := os.ReadFile(filepath.Join(w.src(), directory, "main.go"))
		if said := versionConst.FindStringSubmatch(string(text)); said != nil {
			version = "v" + said[1]
		}
	}
	found := &module{path: name, directory: directory, version: version, language: language, requires: map[string]bool{}}
	w.modules[name] = found
	return found, nil
}

// The version of the package of Debian that a directory is of. Debian has a module that has changed its name as a link.
func (w *world) debianVersion(directory string) (string, error) {
	if version := w.versions[directory]; version != "" {
		return version, nil
	}
	real, err := filepath.EvalSymlinks(filepath.Join(w.src(), directory))
	if err != nil {
		return "", err
	}
	within, err := filepath.Rel(w.src(), real)
	return w.versions[within], err
}

// Debian's version as Go's: 1:0.49.0+ds-1 is v0.49.0, 0.0~git20260721.d427ff9-1 is v0.0.0-20260721000000-d427ff900000.
func versionOf(module, debian string) (string, error) {
	if strings.HasPrefix(debian, "v") {
		return debian, nil // Go's own
	}
	if _, without, has := strings.Cut(debian, ":"); has {
		debian = without
	}
	major := "v0"
	if last := path.Base(module); majorVersion.MatchString(last) {
		major = last
	} else if i := strings.LastIndex(last, ".v"); strings.HasPrefix(module, "gopkg.in/") && i >= 0 {
		major = last[i+1:]
	}
	if found := snapshot.FindStringSubmatch(debian); found != nil {
		return fmt.Sprintf("%s.0.0-%s000000-%s", major, found[2], (found[3] + "000000000000")[:12]), nil
	}
	found := release.FindStringSubmatch(debian)
	if found == nil {
		return "", fmt.Errorf("%s: no version of Go's can be made of %q", module, debian)
	}
	number := []string{found[1], found[2], found[3]}
	for i := range number {
		number[i] = strings.TrimLeft(number[i], "0")
		if number[i] == "" {
			number[i] = "0"
		}
	}
	version := "v" + strings.Join(number, ".")
	if found[4] != "" {
		version += "-" + found[4]
	}
	// What Debian's number does not fit, as of a package that has more than one module, goes by the module's.
	switch {
	case major != "v0" && "v"+number[0] != major:
		version = major + ".0.0"
	case major == "v0" && number[0] != "0" && number[0] != "1":
		version += "+incompatible"
	}
	return version, nil
}

// --- the proxy ------------------------------------------------------------------------------------------------------

// The form is that of go.dev/ref/mod#goproxy-protocol.
func (w *world) write(out string) error {
	for _, module := range w.modules {
		directory := filepath.Join(out, escaped(module.path), "@v")
		if err := os.MkdirAll(directory, 0o755); err != nil {
			return err
		}
		info, err := json.Marshal(map[string]any{"Version": module.version, "Time": time.Unix(0, 0).UTC()})
		if err != nil {
			return err
		}
		mod := w.goMod(module)
		base := filepath.Join(directory, escaped(module.version))
		for file, text := range map[string]string{
			filepath.Join(directory, "list"): module.version + "\n",
			base + ".info":                   string(info),
			base + ".mod":                    mod,
		} {
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				return err
			}
		}
		if err := w.zip(base+".zip", module, mod); err != nil {
			return fmt.Errorf("%s: %w", module.path, err)
		}
	}
	return nil
}

func (w *world) goMod(of *module) string {
	var text strings.Builder
	fmt.Fprintf(&text, "module %s\n", of.path)
	if of.language != "" && !strings.HasSuffix(of.version, "+incompatible") {
		fmt.Fprintf(&text, "\ngo %s\n", of.language)
	}
	if strings.HasSuffix(of.version, "+incompatible") {
		return text.String()
	}
	required := make([]string, 0, len(of.requires))
	for name := range of.requires {
		required = append(required, name)
	}
	slices.Sort(required)
	for _, name := range required {
		fmt.Fprintf(&text, "\nrequire %s %s", name, w.modules[name].version)
	}
	text.WriteByte('\n')
	return text.String()
}

// The files of a module without those of modules within it, and without tests.
func (w *world) zip(file string, of *module, mod string) error {
	to, err := os.Create(file)
	if err != nil {
		return err
	}
	defer to.Close() // after an error; else it is closed below, where errors count
	archive := zip.NewWriter(to)
	prefix := of.path + "@" + of.version + "/"
	add := func(name string, text []byte) error {
		entry, err := archive.CreateHeader(&zip.FileHeader{Name: prefix + name, Method: zip.Deflate})
		if err == nil {
			_, err = entry.Write(text)
		}
		return err
	}
	top, err := filepath.EvalSymlinks(filepath.Join(w.src(), of.directory))
	if err != nil {
		return err
	}
	if err := add("go.mod", []byte(mod)); err != nil {
		return err
	}
	err = filepath.WalkDir(top, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := filepath.ToSlash(strings.TrimPrefix(file, top+"/"))
		if entry.IsDir() {
			if file == top {
				return nil
			}
			_, err := os.Stat(filepath.Join(file, "go.mod"))
			if err == nil || entry.Name() == "testdata" || entry.Name() == "vendor" || strings.HasPrefix(entry.Name(), "_") {
				return fs.SkipDir
			}
			return nil
		}
		if name == "go.mod" || name == "go.sum" || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		// Debian has links to what other packages have, too.
		if about, err := os.Stat(file); err != nil || !about.Mode().IsRegular() {
			return nil
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		return add(name, text)
	})
	return errors.Join(err, archive.Close(), to.Close())
}

// Capital letters in file names: go.dev/ref/mod#goproxy-protocol.
func escaped(name string) string {
	var text strings.Builder
	for _, letter := range name {
		if 'A' <= letter && letter <= 'Z' {
			text.WriteByte('!')
			letter += 'a' - 'A'
		}
		text.WriteRune(letter)
	}
	return text.String()
}
