#include "gui/main_window.h"
#include "gui/pages/channels_page.h"
#include "gui/pages/clients_page.h"
#include "gui/pages/events_page.h"
#include "gui/pages/health_line.h"
#include "gui/pages/message_pane.h"
#include "gui/pages/stat_card.h"
#include "gui/relay/remote_relay.h"
#include "gui/relay_view.h"
#include "gui/tables/table_pane.h"
#include "relayd_process.h"
#include "scratch_settings.h"
#include "support/test_main.h"
#include "support/wait_for.h"
#include "support/web_client.h"
#include "widget_application.h"

#include <QLineEdit>
#include <QMessageBox>
#include <QPushButton>
#include <QSettings>
#include <QStatusBar>
#include <QTableView>
#include <QTest>

#include <algorithm>

using namespace relay;
using namespace relay::gui;
using relay::test::waitFor;
using relay::test::WebClient;
using relay::test::WebClients;

/// The window before a relayd in a process of its own that two hundred clients are connected to.
class TestEndToEnd : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();

    void allClientsAreSeen();
    void killedRelayIsShownAsGoneAndItsSuccessorAsLive();
    void disconnectClosesThatClient();
    void publishReachesTheChannel();

private:
    [[nodiscard]] bool connectClients(std::size_t count, const QString &channel);
    /// The large number under that title.
    [[nodiscard]] QString number(const QString &title) const;
    [[nodiscard]] QString statusBarText() const;
    [[nodiscard]] QString health() const { return m_window->findChild<HealthLine *>()->text(); }
    ClientsPage &showClients();
    ChannelsPage &showChannels();

    const ScratchSettings m_settings;
    std::unique_ptr<RelaydProcess> m_relayd;
    std::unique_ptr<MainWindow> m_window;
    WebClients m_clients;
};

namespace {

constexpr std::size_t kInEachRoom = 100;
constexpr int kClients = 2 * kInEachRoom;

/// The button that says so.
QPushButton *buttonIn(const QWidget &parent, const QString &text)
{
    const auto buttons = parent.findChildren<QPushButton *>();
    const auto found = std::find_if(buttons.begin(), buttons.end(), [&](const QPushButton *button) {
        return button->text().remove(QLatin1Char('&')).startsWith(text);
    });
    return found == buttons.end() ? nullptr : *found;
}

} // namespace

void TestEndToEnd::init()
{
    m_relayd = std::make_unique<RelaydProcess>();
    QVERIFY2(m_relayd->start(), qPrintable(m_relayd->log()));
    QVERIFY(connectClients(kInEachRoom, QStringLiteral("room/a")));
    QVERIFY(connectClients(kInEachRoom, QStringLiteral("room/b")));
    m_window = std::make_unique<MainWindow>();
    m_window->watch(std::make_unique<RemoteRelay>(Endpoint{m_relayd->opsUrl(), {}}));
    m_window->view()->showPage(0);
    m_window->show();
    QVERIFY(waitFor([this] { return health().startsWith(QLatin1String("Serving")); }));
}

void TestEndToEnd::cleanup()
{
    m_clients.clear();
    m_window.reset();
    m_relayd.reset();
}

/// Promise: who has just opened the window sees how many are connected, and each of them.
void TestEndToEnd::allClientsAreSeen()
{
    QVERIFY(waitFor([this] { return number(QStringLiteral("Clients")) == QLatin1String("200"); }));
    QVERIFY(statusBarText().contains(QLatin1String("200 clients")));
    QVERIFY(statusBarText().contains(m_relayd->opsUrl().toString()));
    QTableView &view = showClients().table().view();
    QVERIFY(waitFor([&] { return view.model()->rowCount() == kClients; }));
    QStringList shown;
    for (int row = 0; row < view.model()->rowCount(); ++row) {
        shown.append(view.model()->index(row, 1).data().toString());
    }
    QStringList connected;
    for (const auto &client : m_clients) {
        connected.append(QStringLiteral("127.0.0.1:%1").arg(client->socket().localPort()));
    }
    shown.sort();
    connected.sort();
    QCOMPARE(shown, connected);
}

/// Promise: a relay that dies is shown as gone, with the time of the next try; its successor is shown
/// as soon as it is there, with its own numbers. Nobody has to touch the window.
void TestEndToEnd::killedRelayIsShownAsGoneAndItsSuccessorAsLive()
{
    QVERIFY(waitFor([this] { return number(QStringLiteral("Clients")) == QLatin1String("200"); }));
    m_relayd->kill();
    QVERIFY(waitFor([this] { return health().contains(QLatin1String("reconnecting in ")); }));
    QVERIFY2(health().startsWith(QLatin1String("Gone since ")), qPrintable(health()));
    QCOMPARE(number(QStringLiteral("Clients")), QStringLiteral("–"));
    QVERIFY2(statusBarText().contains(QLatin1String("gone")), qPrintable(statusBarText()));
    QVERIFY(!statusBarText().contains(QLatin1String("200")));
    QVERIFY(waitFor([this] {
        return std::all_of(m_clients.begin(), m_clients.end(),
                           [](const auto &client) { return client->hasEnded(); });
    }));
    m_clients.clear();

    const QUrl place = m_relayd->opsUrl();
    QVERIFY2(m_relayd->start(), qPrintable(m_relayd->log()));
    QCOMPARE(m_relayd->opsUrl(), place);
    QVERIFY(connectClients(30, QStringLiteral("room/c")));
    QVERIFY(waitFor([this] { return number(QStringLiteral("Clients")) == QLatin1String("30"); }));
    QVERIFY2(health().startsWith(QLatin1String("Serving")), qPrintable(health()));
    QVERIFY(statusBarText().contains(QLatin1String("30 clients")));
    QTableView &view = showClients().table().view();
    QVERIFY(waitFor([&] { return view.model()->rowCount() == 30; }));
    const QString events = m_window->findChild<EventsPage *>()->shownText();
    QVERIFY2(events.contains(QLatin1String("gone")), qPrintable(events));
}

/// Promise: Disconnect closes the connection of the client that is chosen, with a reason, and no
/// other's.
void TestEndToEnd::disconnectClosesThatClient()
{
    WebClient &chosen = *m_clients[57];
    ClientsPage &clients = showClients();
    QTableView &view = clients.table().view();
    QTest::keyClicks(&clients.table().filter(),
                     QStringLiteral("127.0.0.1:%1").arg(chosen.socket().localPort()));
    QVERIFY(waitFor([&] { return view.model()->rowCount() == 1; }));
    QTest::mouseClick(view.viewport(), Qt::LeftButton, {},
                      view.visualRect(view.model()->index(0, 1)).center());
    QVERIFY(clients.selectedClient().has_value());

    QPushButton *disconnect = buttonIn(clients, QStringLiteral("Disconnect"));
    QVERIFY(disconnect != nullptr);
    QTest::mouseClick(disconnect, Qt::LeftButton);
    auto *question = clients.findChild<QMessageBox *>();
    QVERIFY(question != nullptr); // it asks first
    QVERIFY(!chosen.hasEnded());
    QTest::mouseClick(buttonIn(*question, QStringLiteral("Disconnect")), Qt::LeftButton);
    QVERIFY(chosen.waitUntilEnded());
    QCOMPARE(chosen.closeCode(), quint16{1008});
    QVERIFY(waitFor([&] { return view.model()->rowCount() == 0; }));
    clients.table().filter().clear();
    QVERIFY(waitFor([&] { return view.model()->rowCount() == kClients - 1; }));
    const auto ended = std::count_if(m_clients.begin(), m_clients.end(),
                                     [](const auto &client) { return client->hasEnded(); });
    QCOMPARE(ended, 1);
    const auto *events = m_window->findChild<EventsPage *>();
    QVERIFY(waitFor([&] { return events->shownText().contains(QLatin1String("1008")); }));
}

/// Promise: what is published from the window comes to every client of that channel, to no other, and
/// stands in the window's own list of messages.
void TestEndToEnd::publishReachesTheChannel()
{
    ChannelsPage &channels = showChannels();
    QTableView &view = channels.table().view();
    QTest::keyClicks(&channels.table().filter(), QStringLiteral("room/b"));
    QVERIFY(waitFor([&] { return view.model()->rowCount() == 1; }));
    QTest::mouseClick(view.viewport(), Qt::LeftButton, {},
                      view.visualRect(view.model()->index(0, 0)).center());
    QCOMPARE(channels.selectedChannel(), QStringLiteral("room/b"));
    auto *text = channels.findChild<QLineEdit *>(QStringLiteral("publish"));
    QTest::keyClicks(text, QStringLiteral("to everybody"));
    QTest::keyClick(text, Qt::Key_Return);
    for (std::size_t i = kInEachRoom; i < m_clients.size(); ++i) {
        QVERIFY(m_clients[i]->waitForMessages(1));
        QCOMPARE(m_clients[i]->payloads(), std::vector<QByteArray>{"to everybody"});
    }
    MessageLogModel &messages = channels.messages().messages();
    QVERIFY(waitFor([&] { return messages.rowCount() == 1; }));
    QCOMPARE(messages.message(0).payload, QByteArray("to everybody"));
    // What had gone to the other room, too, would have come before this.
    m_clients.front()->sendText("after it");
    for (std::size_t i = 0; i < kInEachRoom; ++i) {
        QVERIFY(m_clients[i]->waitForMessages(1));
        QCOMPARE(m_clients[i]->payloads(), std::vector<QByteArray>{"after it"});
    }
}

bool TestEndToEnd::connectClients(std::size_t count, const QString &channel)
{
    WebClients made;
    for (std::size_t i = 0; i < count; ++i) {
        made.push_back(std::make_unique<WebClient>(m_relayd->channelUrl(channel)));
    }
    const bool areConnected = waitFor([&] {
        return std::all_of(made.begin(), made.end(),
                           [](const auto &client) { return client->isConnected(); });
    });
    std::move(made.begin(), made.end(), std::back_inserter(m_clients));
    return areConnected;
}

QString TestEndToEnd::number(const QString &title) const
{
    const auto cards = m_window->findChildren<StatCard *>();
    const auto found = std::find_if(cards.begin(), cards.end(), [&](StatCard *card) {
        return card->plot().accessibleName() == title;
    });
    return found == cards.end() ? QString() : (*found)->value();
}

QString TestEndToEnd::statusBarText() const
{
    QStringList texts;
    for (const QLabel *label : m_window->statusBar()->findChildren<QLabel *>()) {
        texts.append(label->text());
    }
    return texts.join(QLatin1Char('|'));
}

ClientsPage &TestEndToEnd::showClients()
{
    m_window->view()->showPage(1);
    return *m_window->findChild<ClientsPage *>();
}

ChannelsPage &TestEndToEnd::showChannels()
{
    m_window->view()->showPage(2);
    return *m_window->findChild<ChannelsPage *>();
}

RELAY_TEST_IN(relay::test::WidgetApplication, TestEndToEnd)
#include "tst_end_to_end.moc"
