#include "gui/choice.h"

#include "base/version.h"
#include "config/load_settings.h"
#include "config/ops_token.h"

#include "gui/relay/embedded_relay.h"
#include "gui/relay/remote_relay.h"

#include <QCommandLineParser>
#include <QProcessEnvironment>

#include <algorithm>
#include <array>
#include <utility>

namespace relay::gui {

namespace {

struct Words
{
    Q_DECLARE_TR_FUNCTIONS(Choice)
};

Error usageError(QString what)
{
    if (what.endsWith(QLatin1Char('.'))) {
        what.chop(1); // Qt's own texts end so, which stands badly before what is added
    }
    return Error{Words::tr("%1 (relay-dashboard --help lists the options)").arg(what)};
}

const QString kUrl = QStringLiteral("url");
const QString kTokenFile = QStringLiteral("token-file");
const QString kEmbed = QStringLiteral("embed");

/// The options of QApplication and its platforms, each with whether a value follows. They are listed here so that the
/// arguments can be read before there is a QApplication, which needs a display.
void addQtOptions(QCommandLineParser &parser)
{
    constexpr std::array kOptions{std::pair{"platform", true},
                                  std::pair{"platformpluginpath", true},
                                  std::pair{"platformtheme", true},
                                  std::pair{"plugin", true},
                                  std::pair{"qwindowgeometry", true},
                                  std::pair{"geometry", true},
                                  std::pair{"qwindowicon", true},
                                  std::pair{"icon", true},
                                  std::pair{"qwindowtitle", true},
                                  std::pair{"title", true},
                                  std::pair{"style", true},
                                  std::pair{"stylesheet", true},
                                  std::pair{"session", true},
                                  std::pair{"display", true},
                                  std::pair{"name", true},
                                  std::pair{"reverse", false},
                                  std::pair{"widgetcount", false},
                                  std::pair{"nograb", false},
                                  std::pair{"dograb", false}};
    for (const auto &[name, hasValue] : kOptions) {
        QCommandLineOption option(QString::fromLatin1(name));
        option.setValueName(hasValue ? QStringLiteral("value") : QString());
        option.setFlags(QCommandLineOption::HiddenFromHelp);
        parser.addOption(option);
    }
}

/// Errors: which options do not go together.
Result<Choice> choiceOf(const QCommandLineParser &parser)
{
    for (const QString &name : {kUrl, kTokenFile}) {
        if (const auto count = parser.values(name).size(); count > 1) {
            return Error{
                Words::tr("--%1 is given %2 times, and may be given once").arg(name).arg(count)};
        }
    }
    const bool isRemote = parser.isSet(kUrl);
    const bool isEmbedded = parser.isSet(kEmbed);
    const QStringList files = parser.positionalArguments();
    if (isEmbedded && isRemote) {
        return Error{Words::tr("--url and --embed cannot be used together")};
    }
    if (files.size() > (isEmbedded ? 1 : 0)) {
        return Error{Words::tr("unexpected argument '%1'").arg(files.last())};
    }
    if (parser.isSet(kTokenFile) && !isRemote) {
        return Error{Words::tr("--token-file needs --url")};
    }
    if (isEmbedded) {
        return Choice{Choice::Kind::Embedded, {}, {}, files.value(0)};
    }
    if (isRemote) {
        return Choice{Choice::Kind::Remote, parser.value(kUrl), parser.value(kTokenFile), {}};
    }
    return Choice();
}

/// The scheme is optional; path and query are ignored.
QUrl addressIn(const QString &text)
{
    // fromUserInput() makes a host "http" of http://host:99999.
    const QUrl url = text.contains(QLatin1String("://")) ? QUrl(text) : QUrl::fromUserInput(text);
    return url.adjusted(QUrl::RemovePath | QUrl::RemoveQuery | QUrl::RemoveFragment);
}

Result<std::unique_ptr<RelaySource>> makeRemote(const Choice &choice)
{
    const QUrl url = addressIn(choice.url);
    const bool isHttp =
        url.scheme() == QLatin1String("http") || url.scheme() == QLatin1String("https");
    if (!url.isValid() || !isHttp || url.host().isEmpty() || url.port() == 0) {
        return Error{Words::tr("\"%1\" is not the address of an ops port, such as "
                               "http://127.0.0.1:9464")
                         .arg(choice.url)};
    }
    Result<QByteArray> token =
        choice.tokenFile.isEmpty() ? QByteArray() : readTokenFile(choice.tokenFile);
    if (!token) {
        return token.error();
    }
    Endpoint endpoint{url, std::move(token).value()};
    return std::unique_ptr<RelaySource>(std::make_unique<RemoteRelay>(std::move(endpoint)));
}

/// A relay for a trial takes no fixed ops port, which another relay may have, unless the environment asks for it.
bool setsOpsPort(const QProcessEnvironment &environment)
{
    const QStringList names = environment.keys();
    return std::any_of(names.begin(), names.end(), [](const QString &name) {
        return name.startsWith(QLatin1String("RELAY_METRICS_"))
               || name.startsWith(QLatin1String("RELAY_OPS_"));
    });
}

Result<std::unique_ptr<RelaySource>> makeEmbedded(const Choice &choice)
{
    const auto file = choice.configFile.isEmpty() ? std::nullopt : std::optional(choice.configFile);
    const QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    const LoadedSettings loaded = loadSettings(file, environment);
    if (!loaded.isUsable()) {
        return Error{loaded.problems.join(QLatin1Char('\n'))};
    }
    for (const QString &warning : loaded.warnings) {
        qWarning("%s", qPrintable(warning));
    }
    auto relay = EmbeddedRelay::start(loaded.settings, file || setsOpsPort(environment)
                                                           ? EmbeddedRelay::OpsPort::AsSet
                                                           : EmbeddedRelay::OpsPort::Private);
    if (!relay) {
        return relay.error();
    }
    return std::unique_ptr<RelaySource>(
        std::make_unique<EmbeddedRelaySource>(std::move(relay).value()));
}

} // namespace

Result<DashboardCommandLine> parseDashboardCommandLine(const QStringList &arguments)
{
    const QCommandLineOption url(kUrl, Words::tr("Watch the relay whose ops port is at <url>."),
                                 QStringLiteral("url"));
    const QCommandLineOption tokenFile(kTokenFile,
                                       Words::tr("Read the relay's token (ops.token) from <file>."),
                                       QStringLiteral("file"));
    const QCommandLineOption embed(kEmbed, Words::tr("Run a relay in this program and watch it. A "
                                                     "configuration file may follow."));
    const QCommandLineOption help({QStringLiteral("h"), QStringLiteral("help")},
                                  Words::tr("Print this help and exit."));
    const QCommandLineOption version({QStringLiteral("v"), QStringLiteral("version")},
                                     Words::tr("Print the version and exit."));
    QCommandLineParser parser;
    parser.setApplicationDescription(Words::tr("relay-dashboard is a window that watches and "
                                               "controls a relay. Without options it asks which "
                                               "relay to watch."));
    parser.setSingleDashWordOptionMode(QCommandLineParser::ParseAsLongOptions);
    addQtOptions(parser);
    parser.addOptions({url, tokenFile, embed, help, version});
    parser.addPositionalArgument(QStringLiteral("relay.yaml"),
                                 Words::tr("With --embed: the relay's configuration file."),
                                 QStringLiteral("[relay.yaml]"));
    if (!parser.parse(arguments)) {
        return usageError(parser.errorText());
    }
    if (parser.isSet(help)) {
        return DashboardCommandLine{{}, parser.helpText()};
    }
    if (parser.isSet(version)) {
        return DashboardCommandLine{
            {}, QStringLiteral("relay-dashboard %1\n").arg(QString::fromLatin1(kVersion))};
    }
    Result<Choice> choice = choiceOf(parser);
    if (!choice) {
        return usageError(choice.error().message);
    }
    return DashboardCommandLine{std::move(choice).value(), {}};
}

Result<std::unique_ptr<RelaySource>> makeSource(const Choice &choice)
{
    switch (choice.kind) {
    case Choice::Kind::Remote:
        return makeRemote(choice);
    case Choice::Kind::Embedded:
        return makeEmbedded(choice);
    case Choice::Kind::Ask:
        break;
    }
    return std::unique_ptr<RelaySource>();
}

} // namespace relay::gui
