//! What comes out, and that positions stay with it.

use super::*;
use std::collections::HashMap;

struct Memory(HashMap<PathBuf, String>);

impl Loader for Memory {
    fn load(&self, path: &Path) -> io::Result<Vec<u8>> {
        let text = self.0.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(text.clone().into_bytes())
    }
}

fn run(files: &[(&str, &str)]) -> (Vec<Token>, SourceMap, Diagnostics) {
    let loader = Memory(files.iter().map(|(path, text)| (path.into(), text.to_string())).collect());
    let options = Options { include_paths: vec!["lib".into()], defines: vec![("GIVEN".into(), "7".into())] };
    let (mut sources, mut diags) = (SourceMap::default(), Diagnostics::default());
    let tokens = preprocess(Path::new(files[0].0), &options, &loader, &mut sources, &mut diags)
        .expect("the main file");
    (tokens, sources, diags)
}

/// The program's tokens with blanks between them.
fn text(main: &str) -> String {
    let (tokens, _, diags) = run(&[("main.p4", main)]);
    assert!(!diags.has_errors(), "{diags:?}");
    words(&tokens)
}

fn words(tokens: &[Token]) -> String {
    let word = |token: &Token| match &token.tok {
        Tok::Word(word) => Some(word.to_string()),
        Tok::Int { value, .. } => Some(value.to_string()),
        Tok::Punct(punct) => Some(punct.to_string()),
        Tok::Str(text) => Some(format!("{text:?}")),
        _ => None,
    };
    tokens.iter().filter_map(word).collect::<Vec<_>>().join(" ")
}

fn codes(main: &str) -> Vec<Code> {
    run(&[("main.p4", main)]).2.iter().map(|d| d.code).collect()
}

#[test]
fn macros() {
    assert_eq!(text("#define A 1\n#define B A + A\nB A GIVEN"), "1 + 1 1 7");
    assert_eq!(text("#define F(x, y) x - y\nF(1, (2, 3)) F"), "1 - ( 2 , 3 ) F");
    assert_eq!(text("#define F(x) [x]\nF(F(F(\n1)))"), "[ [ [ 1 ] ] ]");
    assert_eq!(text("#define F() z\n#define G F\nG() F ()"), "z z");
    assert_eq!(text("#define A A B\n#define B A\nA"), "A A");
    assert_eq!(text("#define A (x)\nA"), "( x )");
    assert_eq!(text("#define A 1\n#undef A\nA"), "A");
    assert_eq!(text("#define LONG 1 + \\\n 2\nLONG"), "1 + 2");
    // C11 6.10.3.5, example 3 (without the operators).
    let source = "#define x 3\n#define f(a) f(x * (a))\n#undef x\n#define x 2\n#define g f\n#define z z[0]\n\
        #define h g(~\n#define m(a) a(w)\n#define w 0,1\n#define t(a) a\n\
        f(y+1) + f(f(z)) % t(t(g)(0) + t)(1);\ng(x+(3,4)-w) | h 5) & m(f)^m(m);";
    assert_eq!(
        text(source),
        "f ( 2 * ( y + 1 ) ) + f ( 2 * ( f ( 2 * ( z [ 0 ] ) ) ) ) % f ( 2 * ( 0 ) ) + t ( 1 ) ; \
         f ( 2 * ( 2 + ( 3 , 4 ) - 0 , 1 ) ) | f ( 2 * ( ~ 5 ) ) & f ( 2 * ( 0 , 1 ) ) ^ m ( 0 , 1 ) ;"
    );
}

#[test]
fn conditionals() {
    for (condition, holds) in [
        ("1", true),
        ("0", false),
        ("UNKNOWN", false),
        ("defined GIVEN && GIVEN == 7", true),
        ("!defined(GIVEN) || GIVEN < 3", false),
        ("defined(NO) && 1 / NO", false),
        ("1 + 2 * 3 == 7", true),
        ("(1 + 2) * 3 == 9", true),
        ("1 ? 0 : 1", false),
        ("16 >> 2 << 1 == 8", true),
        ("-1 < 0", true),
        ("~0 == -1", true),
        ("0x10 == 16", true),
        ("7 % 4 == 3 && (6 ^ 3) == 5 && (6 | 1) == 7 && (6 & 3) == 2", true),
    ] {
        let source = format!("#if {condition}\nyes\n#else\nno\n#endif");
        assert_eq!(text(&source), if holds { "yes" } else { "no" }, "{condition}");
    }
    assert_eq!(text("#ifdef A\n1\n#elif GIVEN == 7\n2\n#elif 1\n3\n#else\n4\n#endif\n5"), "2 5");
    assert_eq!(text("#ifndef A\n#if 0\n1\n#if 1\n2\n#endif\n#else\n3\n#endif\n#endif"), "3");
    // What is left out need not be P4, and its conditions are not evaluated.
    assert_eq!(
        text("#if 0\n\u{20ac} \"open\n#if 1 / 0\n#elif )\n#endif\n#error no\n#nonsense\n#endif\n1"),
        "1"
    );
}

#[test]
fn faults() {
    for (source, code) in [
        ("#if\n#endif", Code::BadCondition),
        ("#if 1 / 0\n#endif", Code::BadCondition),
        ("#if 1 +\n#endif", Code::BadCondition),
        ("#if (1\n#endif", Code::BadCondition),
        ("#if 9223372036854775807 + 1\n#endif", Code::BadCondition),
        ("#if 1", Code::UnbalancedConditional),
        ("#endif", Code::UnbalancedConditional),
        ("#else", Code::UnbalancedConditional),
        ("#if 1\n#else\n#elif 1\n#endif", Code::UnbalancedConditional),
        ("#ifdef 1\n#endif", Code::BadDirective),
        ("#define", Code::BadDirective),
        ("#define F(a, a)", Code::BadDirective),
        ("#define F(a b) a", Code::BadDirective),
        ("#define F(x) #x", Code::UnknownDirective),
        ("#line 3", Code::UnknownDirective),
        ("#error stop", Code::ErrorDirective),
        ("#define A 1\n#define A 2", Code::MacroMisuse),
        ("#define F(x) x\nF(1, 2)", Code::MacroMisuse),
        ("#define F(x) x\nF(1", Code::MacroMisuse),
        ("#include \"none.p4\"", Code::IncludeFailed),
        ("#include <none.p4>", Code::IncludeFailed),
        ("#include none", Code::BadDirective),
        ("#include \"main.p4\"", Code::TooDeep),
        ("/* open", Code::UnterminatedComment),
        ("$", Code::UnknownCharacter),
        ("1x", Code::BadInteger),
    ] {
        assert_eq!(codes(source), [code], "{source}");
    }
}

/// Macros that double at each step, and conditions and arguments that nest, end with an error.
#[test]
fn what_would_explode_is_bounded() {
    let mut doubling = String::from("#define M0 x x\n");
    for n in 1..60 {
        doubling += &format!("#define M{n} M{} M{}\n", n - 1, n - 1);
    }
    assert_eq!(codes(&(doubling + "M59")), [Code::TooLarge]);
    let mut doubling = String::from("#define F0(x) x x\n");
    for n in 1..60 {
        doubling += &format!("#define F{n}(x) F{}(x) F{}(x)\n", n - 1, n - 1);
    }
    assert_eq!(codes(&(doubling + "F59(a)")), [Code::TooLarge]);
    let nested = format!("#define F(x) x\n{}1{}", "F(".repeat(5000), ")".repeat(5000));
    assert_eq!(codes(&nested), [Code::TooDeep]);
    let nested = format!("#if {}1{}\n#endif", "(".repeat(5000), ")".repeat(5000));
    assert_eq!(codes(&nested), [Code::BadCondition]);
    assert_eq!(text(&format!("#if {}1\na\n#endif", "!".repeat(5000))), "a");
    let twice = "#include \"main.p4\"\n".repeat(2);
    assert!(codes(&twice).contains(&Code::TooDeep));
}

#[test]
fn includes_and_positions() {
    let (tokens, sources, diags) = run(&[
        ("src/main.p4", "#include \"sub/a.p4\"\n#include <b.p4>\nfirst PAIR(x y)\n"),
        ("src/sub/a.p4", "#ifndef A\n#define A\n#include \"near.p4\"\n#define ONE 1\n#endif\n"),
        ("src/sub/near.p4", "near\n#include \"a.p4\"\n"),
        ("lib/b.p4", "#define PAIR(p) ONE + p\n\nlib\n"),
    ]);
    assert!(!diags.has_errors(), "{diags:?}");
    assert_eq!(words(&tokens), "near lib first 1 + x y");
    let place = |span: Span| {
        let (line, column) = sources.position(span);
        format!("{}:{line}:{column}", sources.file(span.file).name)
    };
    let places: Vec<_> = tokens.iter().map(|token| place(token.span)).collect();
    assert_eq!(
        places,
        [
            "src/sub/near.p4:1:1",
            "lib/b.p4:3:1",
            "src/main.p4:3:1",
            "src/sub/a.p4:4:13", // the 1 in the definition of ONE
            "lib/b.p4:1:21",
            "src/main.p4:3:12",
            "src/main.p4:3:14",
            "src/main.p4:4:1",
        ]
    );
    let sites: Vec<_> = tokens[3..6].iter().map(|token| place(sources.call_site(token.span))).collect();
    assert_eq!(sites, ["src/main.p4:3:7", "src/main.p4:3:7", "src/main.p4:3:12"]);
    assert_eq!(sources.text(sources.join(tokens[3].span, tokens[6].span)), "PAIR(x y");
}
