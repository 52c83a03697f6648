#include "base/channel_name.h"

#include "support/test_main.h"

#include <QRandomGenerator>
#include <QTest>

#include <array>
#include <functional>

using namespace relay;

namespace {

/// The path that says these bytes as they are.
QByteArray plainPath(const QByteArray &bytes)
{
    return QByteArray(bytes).prepend('/');
}

/// The path in which every byte is percent-encoded.
QByteArray encodedPath(const QByteArray &bytes)
{
    return plainPath(bytes.isEmpty() ? QByteArray() : bytes.toHex('%').prepend('%'));
}

QString messageOf(const Result<ChannelName> &result)
{
    return result ? QStringLiteral("(accepted)") : result.error().message;
}

QString messageOf(const Result<ChannelPattern> &result)
{
    return result ? QStringLiteral("(accepted)") : result.error().message;
}

/// Segments that are allowed anywhere, of one to four bytes a character, and such as look special.
QByteArray randomSegment(QRandomGenerator &random)
{
    static const std::array<QByteArray, 12> kPieces{"a",
                                                    "B",
                                                    "7",
                                                    "-",
                                                    ".x",
                                                    "%",
                                                    " ",
                                                    "?#&=+;",
                                                    "\xC3\xA9",
                                                    "\xE2\x82\xAC",
                                                    "\xF0\x9F\x98\x80",
                                                    "***"};
    QByteArray segment;
    for (quint32 n = 1 + random.bounded(4U); n > 0; --n) {
        segment += kPieces[random.bounded(quint32{kPieces.size()})];
    }
    return segment;
}

} // namespace

/// Whatever a client puts into a URL, a channel's name is one that people, logs and other URLs can
/// hold; and the two ways to write a name give the same one.
class TestChannelName : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void namesFromPaths_data();
    void namesFromPaths();
    void refusedPaths_data();
    void refusedPaths();
    void everyByteByItself();
    void utf8_data();
    void utf8();
    void atMost255Bytes_data();
    void atMost255Bytes();
    void namesFromText_data();
    void namesFromText();
    void pathsLeadBackToTheName();
    void reservedNames_data();
    void reservedNames();
    void equalNamesHashAlike();

    void patternsAreTold_data();
    void patternsAreTold();
    void refusedPatterns_data();
    void refusedPatterns();
    void matching_data();
    void matching();
};

void TestChannelName::namesFromPaths_data()
{
    QTest::addColumn<QByteArray>("path");
    QTest::addColumn<QByteArray>("name");
    QTest::addColumn<QString>("shown");
    QTest::addColumn<QByteArray>("pathBack");
    const auto row = [](const char *what, const QByteArray &path, const QByteArray &name,
                        const QByteArray &back) {
        const QString shown = name.isEmpty() ? QStringLiteral("/") : QString::fromUtf8(name);
        QTest::newRow(what) << path << name << shown << back;
    };
    row("root", "/", "", "/");
    row("one segment", "/chat", "chat", "/chat");
    row("two segments", "/chat/42", "chat/42", "/chat/42");
    row("encoded", "/caf%C3%A9", "caf\xC3\xA9", "/caf%C3%A9");
    row("lower-case digits", "/caf%c3%a9", "caf\xC3\xA9", "/caf%C3%A9");
    row("not encoded though it should be", "/caf\xC3\xA9", "caf\xC3\xA9", "/caf%C3%A9");
    row("encoded though it need not be", "/%63hat", "chat", "/chat");
    row("an encoded slash parts segments", "/a%2Fb", "a/b", "/a/b");
    row("decoded once only", "/%2541", "%41", "/%2541");
    row("what a query begins with", "/a%3Fb%23c", "a?b#c", "/a%3Fb%23c");
    row("plus is no space", "/a+b", "a+b", "/a%2Bb");
    row("dots within a segment", "/.a/b../...", ".a/b../...", "/.a/b../...");
    row("stars within a segment", "/*a/b**/***", "*a/b**/***", "/%2Aa/b%2A%2A/%2A%2A%2A");
    row("U+00A0 is no control", "/%C2%A0", "\xC2\xA0", "/%C2%A0");
    row("reserved", "/-/page.js", "-/page.js", "/-/page.js");
    QTest::newRow("U+FEFF is kept")
        << QByteArray("/%EF%BB%BFa")
        << QByteArray("\xEF\xBB\xBF"
                      "a")
        << QString(QChar(0xFEFF) + QLatin1Char('a')) << QByteArray("/%EF%BB%BFa");
}

// The name is what the URL says, decoded once; toPath() writes it in one way only.
void TestChannelName::namesFromPaths()
{
    QFETCH(const QByteArray, path);
    QFETCH(const QByteArray, name);
    QFETCH(const QString, shown);
    QFETCH(const QByteArray, pathBack);
    const Result<ChannelName> result = ChannelName::fromPath(path);
    QVERIFY2(result, qPrintable(messageOf(result)));
    QCOMPARE(result.value().bytes(), name);
    QCOMPARE(result.value().toString(), shown);
    QCOMPARE(result.value().toPath(), pathBack);
    QCOMPARE(result.value().isRoot(), name.isEmpty());
    QVERIFY(!ChannelPattern::isPattern(path));
}

void TestChannelName::refusedPaths_data()
{
    QTest::addColumn<QByteArray>("path");
    QTest::addColumn<QString>("message");
    const auto row = [](const char *what, const QByteArray &path, const char *message) {
        QTest::newRow(what) << path << QString::fromUtf8(message);
    };
    row("nothing", "", "does not begin with a slash");
    row("no slash", "chat", "does not begin with a slash");
    row("an encoded slash at the front", "%2Fchat", "does not begin with a slash");
    row("a lone %", "/a%", "\"%\" without two hexadecimal digits");
    row("% and one digit", "/a%4", "\"%\" without two hexadecimal digits");
    row("% and no digit", "/a%g1", "\"%\" without two hexadecimal digits");
    row("% and no second digit", "/a%1g", "\"%\" without two hexadecimal digits");
    row("% and a sign", "/a%+1", "\"%\" without two hexadecimal digits");
    row("empty at the front", "//a", "the channel's name has an empty segment: \"/a\"");
    row("empty in the middle", "/a//b", "the channel's name has an empty segment: \"a//b\"");
    row("empty at the end", "/a/", "the channel's name has an empty segment: \"a/\"");
    row("nothing but empty", "//", "the channel's name has an empty segment: \"/\"");
    row("empty, encoded", "/%2F", "the channel's name has an empty segment: \"/\"");
    row("this folder", "/./a", "the channel's name has a segment \".\"");
    row("folder above", "/a/..", "the channel's name has a segment \"..\"");
    row("folder above, encoded", "/%2E%2e", "the channel's name has a segment \"..\"");
    row("any segment", "/a/*", "\"a/*\" is a pattern");
    row("any segment, encoded", "/%2A/b", "\"*/b\" is a pattern");
    row("any rest", "/**", "\"**\" is a pattern");
    row("any rest, not last", "/**/a", "\"**/a\" is a pattern");
}

// A refused name's sentence says which rule it broke.
void TestChannelName::refusedPaths()
{
    QFETCH(const QByteArray, path);
    QFETCH(const QString, message);
    const Result<ChannelName> result = ChannelName::fromPath(path);
    QVERIFY(!result);
    QVERIFY2(result.error().message.contains(message), qPrintable(result.error().message));
}

// Of the single bytes, ASCII without its controls is a name; but for the slash, the dot and the
// star, which are segments with a meaning.
void TestChannelName::everyByteByItself()
{
    for (int i = 0; i < 256; ++i) {
        const char byte = static_cast<char>(i);
        const bool expected = i >= 0x20 && i < 0x7F && byte != '/' && byte != '.' && byte != '*';
        const QByteArray name(1, byte);
        QCOMPARE(ChannelName::fromPath(encodedPath(name)).hasValue(), expected);
        if (byte != '/') {
            QCOMPARE(ChannelName::fromText(name).hasValue(), expected);
        }
        if (byte != '%') {
            QCOMPARE(ChannelName::fromPath(plainPath(name)).hasValue(), expected);
        }
    }
}

void TestChannelName::utf8_data()
{
    QTest::addColumn<QByteArray>("hex");
    QTest::addColumn<QString>("message");
    const QString invalid = QStringLiteral("is not valid UTF-8");
    const QString control = QStringLiteral("has a control character: ");
    const QString accepted = QStringLiteral("(accepted)");
    QTest::newRow("lone tail") << QByteArray("80") << invalid;
    QTest::newRow("cut off") << QByteArray("e282") << invalid;
    QTest::newRow("overlong slash") << QByteArray("c0af") << invalid;
    QTest::newRow("overlong slash, three bytes") << QByteArray("e080af") << invalid;
    QTest::newRow("overlong dot, four bytes") << QByteArray("f08080ae") << invalid;
    QTest::newRow("overlong NUL") << QByteArray("c080") << invalid;
    QTest::newRow("surrogate") << QByteArray("eda080") << invalid;
    QTest::newRow("surrogate pair") << QByteArray("eda0bdedb880") << invalid;
    QTest::newRow("above U+10FFFF") << QByteArray("f4908080") << invalid;
    QTest::newRow("Latin-1") << QByteArray("636166e9") << invalid;
    QTest::newRow("largest code point") << QByteArray("f48fbfbf") << accepted;
    QTest::newRow("before the surrogates") << QByteArray("ed9fbf") << accepted;
    QTest::newRow("after the surrogates") << QByteArray("ee8080") << accepted;
    QTest::newRow("NUL") << QByteArray("610062") << QString(control % QLatin1String("U+0000"));
    QTest::newRow("line end") << QByteArray("61620a") << QString(control % QLatin1String("U+000A"));
    QTest::newRow("unit separator")
        << QByteArray("1f61") << QString(control % QLatin1String("U+001F"));
    QTest::newRow("DEL") << QByteArray("617f") << QString(control % QLatin1String("U+007F"));
    QTest::newRow("first of C1") << QByteArray("c280")
                                 << QString(control % QLatin1String("U+0080"));
    QTest::newRow("last of C1") << QByteArray("61c29f")
                                << QString(control % QLatin1String("U+009F"));
    QTest::newRow("behind C1") << QByteArray("c2a0") << accepted;
    QTest::newRow("tails as C1's, another lead") << QByteArray("c380e2829f") << accepted;
}

// Nothing that a log, a terminal or JSON could stumble over becomes a name.
void TestChannelName::utf8()
{
    QFETCH(const QByteArray, hex);
    QFETCH(const QString, message);
    const QByteArray bytes = QByteArray::fromHex(hex);
    for (const QString &said :
         {messageOf(ChannelName::fromPath(encodedPath(bytes))),
          messageOf(ChannelName::fromPath(plainPath(bytes))),
          messageOf(ChannelName::fromText(bytes)), messageOf(ChannelPattern::fromText(bytes))})
    {
        QVERIFY2(said.contains(message), qPrintable(said));
    }
}

void TestChannelName::atMost255Bytes_data()
{
    QTest::addColumn<QByteArray>("name");
    QTest::addColumn<bool>("accepted");
    QTest::newRow("255 bytes") << QByteArray(255, 'a') << true;
    QTest::newRow("256 bytes") << QByteArray(256, 'a') << false;
    QTest::newRow("128 segments") << QByteArray("a/").repeated(127) + 'a' << true;
    QTest::newRow("129 segments") << QByteArray("a/").repeated(128) + 'a' << false;
    QTest::newRow("255 bytes of 3 each") << QByteArray("\xE2\x82\xAC").repeated(85) << true;
    QTest::newRow("255 bytes of 3 each, and one")
        << QByteArray("\xE2\x82\xAC").repeated(85) + 'a' << false;
}

// The limit counts decoded bytes: how a client encodes the name changes nothing.
void TestChannelName::atMost255Bytes()
{
    QFETCH(const QByteArray, name);
    QFETCH(const bool, accepted);
    QCOMPARE(ChannelName::fromText(name).hasValue(), accepted);
    QCOMPARE(ChannelName::fromPath(plainPath(name)).hasValue(), accepted);
    QCOMPARE(ChannelName::fromPath(encodedPath(name)).hasValue(), accepted);
    QCOMPARE(ChannelPattern::fromText(name).hasValue(), accepted);
    if (!accepted) {
        const QString message = ChannelName::fromText(name).error().message;
        QVERIFY2(message.contains(QStringLiteral("at most 255")), qPrintable(message));
    }
}

void TestChannelName::namesFromText_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QString>("shown");
    QTest::newRow("root") << QByteArray("/") << QStringLiteral("/");
    QTest::newRow("root, empty") << QByteArray("") << QStringLiteral("/");
    QTest::newRow("nothing is decoded") << QByteArray("a%2Fb%") << QStringLiteral("a%2Fb%");
    QTest::newRow("leading slash") << QByteArray("/chat") << QString();
    QTest::newRow("two slashes") << QByteArray("//") << QString();
    QTest::newRow("pattern") << QByteArray("chat/*") << QString();
}

// What a relay shows as a channel's name can be given back to it.
void TestChannelName::namesFromText()
{
    QFETCH(const QByteArray, text);
    QFETCH(const QString, shown);
    const Result<ChannelName> name = ChannelName::fromText(text);
    QCOMPARE(name.hasValue(), !shown.isEmpty());
    if (name) {
        QCOMPARE(name.value().toString(), shown);
        QCOMPARE(ChannelName::fromText(shown.toUtf8()).value(), name.value());
    }
}

// A name is the same one after a journey through a URL, or through JSON.
void TestChannelName::pathsLeadBackToTheName()
{
    const quint32 seed = QRandomGenerator::global()->generate();
    qInfo("seed %u", seed);
    QRandomGenerator random(seed);
    for (int round = 0; round < 20000; ++round) {
        QByteArrayList segments;
        for (quint32 n = random.bounded(5U); n > 0; --n) {
            segments += randomSegment(random);
        }
        const Result<ChannelName> name = ChannelName::fromText(segments.join('/'));
        QVERIFY2(name, qPrintable(messageOf(name)));
        const QByteArray path = name.value().toPath();
        QCOMPARE(ChannelName::fromPath(path).value(), name.value());
        QCOMPARE(ChannelName::fromPath(encodedPath(name.value().bytes())).value(), name.value());
        QCOMPARE(ChannelName::fromText(name.value().toString().toUtf8()).value(), name.value());
        for (const char c : path) {
            QVERIFY2(c > 0x20 && c < 0x7F && c != '?' && c != '#', path.constData());
        }
    }
}

void TestChannelName::reservedNames_data()
{
    QTest::addColumn<QByteArray>("path");
    QTest::addColumn<bool>("reserved");
    QTest::newRow("the relay's own") << QByteArray("/-/publish") << true;
    QTest::newRow("deeper") << QByteArray("/-/a/b") << true;
    QTest::newRow("encoded") << QByteArray("/%2D%2Fpublish") << true;
    QTest::newRow("only the dash") << QByteArray("/-") << false;
    QTest::newRow("begins with a dash") << QByteArray("/-a/b") << false;
    QTest::newRow("further on") << QByteArray("/a/-/b") << false;
    QTest::newRow("root") << QByteArray("/") << false;
}

// No way to write it lets anybody into what is the relay's own.
void TestChannelName::reservedNames()
{
    QFETCH(const QByteArray, path);
    QFETCH(const bool, reserved);
    QCOMPARE(ChannelName::fromPath(path).value().isReserved(), reserved);
}

void TestChannelName::equalNamesHashAlike()
{
    const ChannelName one = ChannelName::fromPath("/caf%C3%A9").value();
    const ChannelName same = ChannelName::fromText("caf\xC3\xA9").value();
    const ChannelName other = ChannelName::fromText("cafe").value();
    QCOMPARE(one, same);
    QVERIFY(one != other);
    QCOMPARE(std::hash<ChannelName>{}(one), std::hash<ChannelName>{}(same));
    QVERIFY(std::hash<ChannelName>{}(one) != std::hash<ChannelName>{}(other));
    QCOMPARE(ChannelName(), ChannelName::fromPath("/").value());
}

void TestChannelName::patternsAreTold_data()
{
    QTest::addColumn<QByteArray>("path");
    QTest::addColumn<bool>("isPattern");
    QTest::newRow("any segment") << QByteArray("/*") << true;
    QTest::newRow("any segment within") << QByteArray("/a/*/b") << true;
    QTest::newRow("any rest") << QByteArray("/a/**") << true;
    QTest::newRow("any rest, wrongly placed") << QByteArray("/**/a") << true;
    QTest::newRow("encoded") << QByteArray("/a/%2a") << true;
    QTest::newRow("encoded slash") << QByteArray("/a%2F*") << true;
    QTest::newRow("root") << QByteArray("/") << false;
    QTest::newRow("star in a segment") << QByteArray("/a*/*b") << false;
    QTest::newRow("three stars") << QByteArray("/***") << false;
    QTest::newRow("no path") << QByteArray("*") << false;
    QTest::newRow("badly encoded") << QByteArray("/*/%") << false;
    QTest::newRow("nothing") << QByteArray("") << false;
}

// A path is a pattern or a name, never both: no name that can be published to is lost to patterns.
void TestChannelName::patternsAreTold()
{
    QFETCH(const QByteArray, path);
    QFETCH(const bool, isPattern);
    QCOMPARE(ChannelPattern::isPattern(path), isPattern);
    QVERIFY(!isPattern || !ChannelName::fromPath(path));
}

void TestChannelName::refusedPatterns_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QString>("message");
    const QString accepted = QStringLiteral("(accepted)");
    const QString mustBeLast = QStringLiteral("must be the last segment");
    QTest::newRow("root") << QByteArray("/") << accepted;
    QTest::newRow("a name") << QByteArray("chat/lobby") << accepted;
    QTest::newRow("every channel") << QByteArray("**") << accepted;
    QTest::newRow("both") << QByteArray("*/a/**") << accepted;
    QTest::newRow("rest first") << QByteArray("**/a") << mustBeLast;
    QTest::newRow("rest twice") << QByteArray("a/**/**") << mustBeLast;
    QTest::newRow("empty segment")
        << QByteArray("/chat/*") << QStringLiteral("the channel pattern has an empty segment");
    QTest::newRow("folder above") << QByteArray("*/..")
                                  << QStringLiteral("the channel pattern has a segment \"..\"");
}

void TestChannelName::refusedPatterns()
{
    QFETCH(const QByteArray, text);
    QFETCH(const QString, message);
    const Result<ChannelPattern> result = ChannelPattern::fromText(text);
    QVERIFY2(messageOf(result).contains(message), qPrintable(messageOf(result)));
    if (result) {
        const QByteArray bytes = text == "/" ? QByteArray() : text;
        QCOMPARE(result.value().bytes(), bytes);
        QCOMPARE(result.value().toString(), QString::fromUtf8(text));
        QCOMPARE(ChannelPattern::fromPath(plainPath(bytes)).value(), result.value());
    }
}

void TestChannelName::matching_data()
{
    QTest::addColumn<QByteArray>("pattern");
    QTest::addColumn<QByteArrayList>("matched");
    QTest::addColumn<QByteArrayList>("notMatched");
    using List = QByteArrayList;
    QTest::newRow("**") << QByteArray("**") << List{"/", "a", "a/b", "a/b/c", "-", "-a"}
                        << List{"-/a", "-/a/b"};
    QTest::newRow("*") << QByteArray("*") << List{"a", "-", "***"} << List{"/", "a/b", "-/a"};
    QTest::newRow("a/**") << QByteArray("a/**") << List{"a", "a/b", "a/b/c"}
                          << List{"/", "b", "ab", "b/a"};
    QTest::newRow("a/*") << QByteArray("a/*") << List{"a/b", "a/a"}
                         << List{"/", "a", "a/b/c", "b/b"};
    QTest::newRow("*/b") << QByteArray("*/b") << List{"a/b", "b/b"}
                         << List{"b", "a/b/b", "a/c", "-/b"};
    QTest::newRow("a/*/**") << QByteArray("a/*/**") << List{"a/b", "a/b/c"} << List{"a", "b/b"};
    QTest::newRow("a/*/c") << QByteArray("a/*/c") << List{"a/b/c", "a/c/c"}
                           << List{"a/c", "a/b/c/d", "a/b/b", "a/b/d/c"};
    QTest::newRow("root") << QByteArray("/") << List{"/"} << List{"a"};
    QTest::newRow("literal") << QByteArray("a/b") << List{"a/b"} << List{"a", "a/b/c", "A/b"};
    QTest::newRow("reserved, literally") << QByteArray("-/a") << List{} << List{"-/a", "-/b", "-"};
    QTest::newRow("reserved, any rest") << QByteArray("-/**") << List{"-"} << List{"-/a"};
    QTest::newRow("star in a segment is itself")
        << QByteArray("a*") << List{"a*"} << List{"a", "ab", "a/b"};
}

// What a pattern promises, in examples; tst_pattern_index has random ones.
void TestChannelName::matching()
{
    QFETCH(const QByteArray, pattern);
    QFETCH(const QByteArrayList, matched);
    QFETCH(const QByteArrayList, notMatched);
    const ChannelPattern subject = ChannelPattern::fromText(pattern).value();
    for (const QByteArray &name : matched) {
        QVERIFY2(subject.matches(ChannelName::fromText(name).value()), name.constData());
    }
    for (const QByteArray &name : notMatched) {
        QVERIFY2(!subject.matches(ChannelName::fromText(name).value()), name.constData());
    }
}

RELAY_TEST(TestChannelName)
#include "tst_channel_name.moc"
