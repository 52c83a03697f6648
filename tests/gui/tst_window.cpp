#include "config/config_text.h"

#include "fake_ops_server.h"
#include "fake_source.h"
#include "gui/main_window.h"
#include "gui/pages/channels_page.h"
#include "gui/pages/clients_page.h"
#include "gui/pages/events_page.h"
#include "gui/pages/help_window.h"
#include "gui/pages/message_pane.h"
#include "gui/pages/settings_dialog.h"
#include "gui/pages/worker_shares.h"
#include "gui/relay/embedded_relay.h"
#include "gui/relay_view.h"
#include "gui/tables/client_table_model.h"
#include "gui/tables/event_log_model.h"
#include "gui/tables/message_log_model.h"
#include "gui/tables/table_pane.h"
#include "scratch_settings.h"
#include "support/test_main.h"
#include "support/wait_for.h"
#include "widget_application.h"

#include <QAbstractButton>
#include <QLabel>
#include <QListWidget>
#include <QMenu>
#include <QMenuBar>
#include <QPushButton>
#include <QSettings>
#include <QSpinBox>
#include <QTcpSocket>
#include <QTest>
#include <QTextBrowser>

using namespace relay;
using namespace relay::gui;
using relay::test::waitFor;
using Link = LinkState::Link;

/// The window under what users do, and what a broken or hostile relay sends.
class TestWindow : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // Its keys and its settings
    void eachKeyMeansOneThing();
    void reconnectHasAllItsKeys();
    void tabLeavesATable();
    void aPageThatIsNoneIsTheNearest();
    void helpShowsTheDocuments();
    void drainIsAskedForWithABoundedTime();
    void settingsThatWereChangedComeFirst();
    void textsBeginWithACapital();

    // What is sent to it
    void aLongVersionIsShownInPart();
    void longWordsAreShownInPart();
    void manyWorkersAreShownInPart();
    void rowsThatNeverComeAreNotAskedForAtOnce();
    void theChosenMessageStaysWhenOthersCome();
    void messagesGoOnWhenTheRelayIsBack();
    void messagesAreAskedWhereClientsConnect_data();
    void messagesAreAskedWhereClientsConnect();
    void opsPortIsAsSet();
    void opsPortMayBeTheWindowsAlone();
    void privateOpsPortNeedsNoToken();
    void endOfTheRelayIsToldToItsClients();

private:
    const ScratchSettings m_settings;
};

namespace {

const QString kEndless = QString(1'000'000, QLatin1Char('a'));

} // namespace

/// Promise: Alt and a letter does what the underlined letter says, on every page: a letter that two
/// have does neither.
void TestWindow::eachKeyMeansOneThing()
{
    MainWindow window;
    window.watch(std::make_unique<FakeSource>());
    window.show();
    for (int page = 0; page < window.view()->pageCount(); ++page) {
        window.view()->showPage(page);
        QHash<QString, QString> owners;
        const auto note = [&](const QString &text) {
            const QString key = QKeySequence::mnemonic(text).toString();
            const QString other = key.isEmpty() ? QString() : owners.value(key);
            owners.insert(key, text);
            return other.isEmpty();
        };
        for (const QAction *action : window.menuBar()->actions()) {
            QVERIFY2(note(action->text()), qPrintable(action->text()));
        }
        for (const QAbstractButton *button : window.findChildren<QAbstractButton *>()) {
            QVERIFY2(!button->isVisible() || note(button->text()), qPrintable(button->text()));
        }
    }
}

/// Promise: F5 tries again on every desktop, also where Ctrl+R is first.
void TestWindow::reconnectHasAllItsKeys()
{
    MainWindow window;
    const auto refresh = QKeySequence::keyBindings(QKeySequence::Refresh);
    int found = 0;
    for (const QAction *action : window.findChildren<QAction *>()) {
        found += action->shortcuts() == refresh ? 1 : 0;
    }
    QCOMPARE(found, 1);
}

/// Promise: who has no mouse comes past a table, however many cells it has.
void TestWindow::tabLeavesATable()
{
    auto source = std::make_unique<FakeSource>(10);
    MainWindow window;
    window.watch(std::move(source));
    window.show();
    window.view()->showPage(1);
    auto &view = window.findChild<ClientsPage *>()->table().view();
    QVERIFY(waitFor([&] { return view.model()->rowCount() == 10; }));
    view.setCurrentIndex(view.model()->index(0, 0));
    view.setFocus();
    QTest::keyClick(&view, Qt::Key_Tab);
    QCOMPARE(view.currentIndex(), view.model()->index(0, 0));
    QVERIFY(window.focusWidget() != &view);
}

/// Promise: settings of another version, or that somebody has edited, show a page all the same.
void TestWindow::aPageThatIsNoneIsTheNearest()
{
    for (const auto &[kept, shown] : {std::pair{99, 3}, {-1, 0}, {2, 2}}) {
        QSettings().setValue(QStringLiteral("window/page"), kept);
        MainWindow window;
        window.watch(std::make_unique<FakeSource>());
        QCOMPARE(window.view()->currentPage(), shown);
        QCOMPARE(window.view()->findChild<QListWidget *>()->currentRow(), shown);
    }
}

/// Promise: Help works without a file or a network, and its links lead from one document to another.
void TestWindow::helpShowsTheDocuments()
{
    HelpWindow help;
    help.show();
    QTextBrowser &browser = help.browser();
    QVERIFY(browser.toPlainText().size() > 500);
    const QUrl first = browser.source();
    Q_EMIT browser.anchorClicked(QUrl(QStringLiteral("admin-api.md#overview")));
    QVERIFY(browser.source().path().endsWith(QLatin1String("/admin-api.md")));
    QVERIFY(browser.toPlainText().contains(QLatin1String("/-/api/overview")));
    // What is not part of the program is not asked for.
    for (const char *link : {"../README.md", "http://127.0.0.1:1/", "file:///etc/hostname"}) {
        Q_EMIT browser.anchorClicked(QUrl(QString::fromLatin1(link)));
        QVERIFY(browser.source().path().endsWith(QLatin1String("/admin-api.md")));
    }
    browser.backward();
    QCOMPARE(browser.source(), first);

    const MainWindow window;
    const auto actions = window.findChildren<QAction *>();
    QVERIFY(std::any_of(actions.begin(), actions.end(), [](const QAction *action) {
        return action->shortcut() == QKeySequence(QKeySequence::HelpContents);
    }));
}

/// Promise: a drain, which cannot be undone, happens only by its own button, and for the relay that was asked about.
void TestWindow::drainIsAskedForWithABoundedTime()
{
    auto made = std::make_unique<FakeSource>();
    FakeSource *source = made.get();
    MainWindow window;
    window.watch(std::move(made));
    window.show();
    const auto drain = [&] {
        for (QAction *action : window.findChildren<QAction *>()) {
            if (action->text().startsWith(QLatin1String("&Drain"))) {
                action->trigger();
            }
        }
        return window.findChild<QDialog *>();
    };
    QDialog *dialog = drain();
    QVERIFY(dialog != nullptr);
    QTest::keyClick(dialog->findChild<QSpinBox *>(), Qt::Key_Return);
    QVERIFY(!dialog->isVisible());
    QVERIFY(!source->asked.contains(QStringLiteral("drain 30")));
    delete dialog;

    dialog = drain();
    for (QPushButton *button : dialog->findChildren<QPushButton *>()) {
        if (button->text().remove(u'&') == QLatin1String("Drain")) {
            button->click();
            break;
        }
    }
    QVERIFY(source->asked.contains(QStringLiteral("drain 30")));
}

/// Promise: the settings in force begin with those that somebody has set, and a filter finds the others.
void TestWindow::settingsThatWereChangedComeFirst()
{
    Settings settings;
    settings.hub.port = 9000;
    settings.hub.echo = false;
    SettingsDialog dialog(renderConfig(settings));
    dialog.show();
    QTableWidget &table = dialog.table();
    QCOMPARE(table.item(0, 0)->text(), QStringLiteral("server.port"));
    QCOMPARE(table.item(0, 1)->text(), QStringLiteral("9000"));
    QCOMPARE(table.item(0, 2)->text(), QStringLiteral("8443"));
    QCOMPARE(table.item(1, 0)->text(), QStringLiteral("hub.echo"));
    QVERIFY(table.item(1, 0)->font().bold());
    QVERIFY(!table.item(2, 0)->font().bold());
    const auto shownRows = [&] {
        int rows = 0;
        for (int row = 0; row < table.rowCount(); ++row) {
            rows += table.isRowHidden(row) ? 0 : 1;
        }
        return rows;
    };
    const int all = shownRows();
    QVERIFY(all > 30);
    dialog.onlyChanged().setChecked(true);
    QCOMPARE(shownRows(), 2);
    dialog.onlyChanged().setChecked(false);
    dialog.filter().setText(QStringLiteral("QUEUE_SIZE"));
    QVERIFY(shownRows() >= 1 && shownRows() < all);
}

/// Promise: titles look like titles.
void TestWindow::textsBeginWithACapital()
{
    MainWindow window;
    window.watch(std::make_unique<FakeSource>());
    QVERIFY(window.windowTitle().endsWith(QStringLiteral(" — Relay")));
    for (const QAction *action : window.findChildren<QAction *>()) {
        const QString text = action->text().remove(QLatin1Char('&'));
        QVERIFY2(text.isEmpty() || text.at(0).isUpper(), qPrintable(text));
    }
}

/// Promise: a relay's version is a word in the status bar, not all of it.
void TestWindow::aLongVersionIsShownInPart()
{
    auto made = std::make_unique<FakeSource>();
    FakeSource &source = *made;
    MainWindow window;
    window.watch(std::move(made));
    window.show();
    Overview overview;
    overview.version = kEndless;
    Q_EMIT source.linkChanged({Link::Live, QDateTime::currentDateTime(), {}, {}});
    Q_EMIT source.overviewChanged(overview);
    for (const QLabel *label : window.findChildren<QLabel *>()) {
        QVERIFY(label->text().size() < 1000);
    }
}

/// Promise: a text that would take seconds to lay out, each time that it is painted, is cut.
void TestWindow::longWordsAreShownInPart()
{
    FakeSource source(1);
    source.clients[0].address = kEndless;
    source.clients[0].channel = kEndless;
    source.clients[0].transport = kEndless;
    source.clients[0].userAgent = kEndless;
    ClientsPage page(source);
    page.show();
    QAbstractItemModel &model = *page.table().view().model();
    QVERIFY(waitFor([&] { return model.rowCount() == 1; }));
    page.table().view().setCurrentIndex(model.index(0, 0));
    QVERIFY(page.selectedClient());
    for (int column = 0; column < model.columnCount(); ++column) {
        QVERIFY(model.index(0, column).data().toString().size() < 10'000);
        QVERIFY(model.index(0, column).data(Qt::ToolTipRole).toString().size() < 10'000);
    }
    for (const QLabel *label : page.findChildren<QLabel *>()) {
        QVERIFY(label->text().size() < 10'000);
    }

    EventLogModel events;
    RelayEvent event;
    event.type = kEndless;
    event.reason = kEndless;
    events.append(event);
    for (int column = 0; column < events.columnCount(); ++column) {
        QVERIFY(events.index(0, column).data().toString().size() < 10'000);
    }
    QVERIFY(events.line(0).size() > 2 * kEndless.size() - 1); // copied in full
}

/// Promise: a relay that says that it has a hundred thousand workers does not halt the window.
void TestWindow::manyWorkersAreShownInPart()
{
    WorkerShares shares;
    shares.setShares(QList<WorkerShare>(WorkerShares::kMostWorkers + 1));
    const auto perRow = 4; // the number, and three of its figures
    const auto headings = 4;
    QCOMPARE(shares.findChildren<QLabel *>().size(),
             perRow * WorkerShares::kMostWorkers + headings);
}

/// Promise: a relay that says that there are rows, and has none, is not asked as fast as it answers.
void TestWindow::rowsThatNeverComeAreNotAskedForAtOnce()
{
    ClientTableModel model;
    int asked = 0;
    connect(&model, &PagedTableModel::wanted, this, [&] { ++asked; });
    for (int i = 0; i < 3; ++i) {
        model.setPage({.total = 1'000'000'000, .offset = 5, .rows = {}});
    }
    QCOMPARE(asked, 1);
    QCOMPARE(model.query().offset, PagedTableModel::kMaxRows - PagedTableModel::kWindowRows);
}

/// Promise: the message that is read stays to be read, however many come, and its place is not taken
/// by another one.
void TestWindow::theChosenMessageStaysWhenOthersCome()
{
    FakeOpsServer server;
    MessagePane pane;
    pane.show();
    pane.listen(QUrl(QStringLiteral("http://127.0.0.1:%1/-/api/stream").arg(server.port())));
    QVERIFY(waitFor([&] { return server.streamCount() == 1; }));
    constexpr auto kMost = static_cast<int>(MessageLogModel::kMaxMessages);
    const auto send = [&](int offset) {
        const QByteArray number = QByteArray::number(offset);
        server.sendToStreams("id: e-" + number + "\ndata: {\"offset\":" + number
                             + ",\"time\":1}\ndata: text " + number + "\n\n");
    };
    for (int offset = 1; offset <= kMost; ++offset) {
        send(offset);
    }
    QVERIFY(waitFor([&] { return pane.messages().rowCount() == kMost; }));
    auto &view = *pane.findChild<QTableView *>();
    const auto &text = *pane.findChild<QPlainTextEdit *>();
    view.setCurrentIndex(view.model()->index(1, 0));
    QCOMPARE(text.toPlainText(), QStringLiteral("text 2"));
    send(kMost + 1);
    QVERIFY(waitFor([&] { return pane.messages().message(0).offset == 2; }));
    QCOMPARE(view.currentIndex().row(), 0); // still among them
    send(kMost + 2);
    QVERIFY(waitFor([&] { return pane.messages().message(0).offset == 3; }));
    QCOMPARE(text.toPlainText(), QStringLiteral("text 2"));
    QVERIFY(!view.selectionModel()->hasSelection());
    view.setCurrentIndex(view.model()->index(0, 0));
    QCOMPARE(text.toPlainText(), QStringLiteral("text 3"));
}

/// Promise: what is said to be live is: a connection that broke unnoticed, under a computer that slept,
/// say, is made again when the relay is back, and goes on where it was.
void TestWindow::messagesGoOnWhenTheRelayIsBack()
{
    FakeOpsServer server;
    FakeSource source;
    source.channels = {ChannelRow()};
    source.channels[0].name = QStringLiteral("a");
    source.messagesAt = QUrl(QStringLiteral("http://127.0.0.1:%1/-/api/stream").arg(server.port()));
    ChannelsPage page(source);
    page.show();
    QTableView &view = page.table().view();
    QVERIFY(waitFor([&] { return view.model()->rowCount() == 1; }));
    view.setCurrentIndex(view.model()->index(0, 0));
    QVERIFY(waitFor([&] { return server.streamCount() == 1; }));
    server.sendToStreams("id: e-7\ndata: {\"offset\":7,\"time\":1}\ndata: x\n\n");
    QVERIFY(waitFor([&] { return page.messages().messages().rowCount() == 1; }));

    Q_EMIT source.linkChanged({Link::Gone, QDateTime::currentDateTime(), {}, {}});
    Q_EMIT source.linkChanged({Link::Live, QDateTime::currentDateTime(), {}, {}});
    QVERIFY(waitFor([&] { return server.requests().size() == 2; }));
    QCOMPARE(server.requests().last().fields.value("last-event-id"), QByteArray("e-7"));
    QCOMPARE(page.messages().messages().rowCount(), 1);
}

void TestWindow::messagesAreAskedWhereClientsConnect_data()
{
    QTest::addColumn<QString>("address");
    QTest::addColumn<QString>("host");
    QTest::newRow("one") << QStringLiteral("127.0.0.2") << QStringLiteral("127.0.0.2");
    QTest::newRow("all") << QStringLiteral("0.0.0.0") << QStringLiteral("127.0.0.1");
}

/// Promise: a relay in this process shows its messages also when it does not listen on 127.0.0.1.
void TestWindow::messagesAreAskedWhereClientsConnect()
{
    QFETCH(QString, address);
    QFETCH(QString, host);
    Settings settings;
    settings.hub.address = address;
    settings.hub.port = 0;
    settings.hub.workers = 1;
    auto relay = EmbeddedRelay::start(settings, EmbeddedRelay::OpsPort::Private);
    QVERIFY(relay.hasValue());
    EmbeddedRelaySource source(std::move(relay).value());
    QVERIFY(source.channelUrl(QStringLiteral("a")).isEmpty());
    source.start();
    QVERIFY(waitFor([&] { return !source.channelUrl(QStringLiteral("a")).isEmpty(); }));
    QCOMPARE(source.channelUrl(QStringLiteral("a")).host(), host);
}

/// Promise: a relay in this process that was given a configuration is as reachable to Prometheus and
/// to operators as relayd would be with it.
void TestWindow::opsPortIsAsSet()
{
    Settings settings;
    settings.hub.port = 0;
    settings.hub.workers = 1;
    settings.metrics.address = QStringLiteral("0.0.0.0");
    settings.metrics.port = 0;
    settings.ops.token = QStringLiteral("a-token-that-is-long");
    const auto relay = EmbeddedRelay::start(settings, EmbeddedRelay::OpsPort::AsSet);
    QVERIFY2(relay.hasValue(), relay ? "" : qPrintable(relay.error().message));
    const Endpoint endpoint = relay.value()->endpoint();
    QCOMPARE(endpoint.url.host(), QStringLiteral("127.0.0.1"));
    QCOMPARE(endpoint.token, settings.ops.token.toUtf8());
    RemoteRelay watcher(endpoint);
    watcher.start();
    QVERIFY(waitFor([&] { return watcher.link().link == Link::Live; }));

    settings.ops = {.token = {}, .tokenFile = QStringLiteral("/nonexistent/token")};
    const auto broken = EmbeddedRelay::start(settings, EmbeddedRelay::OpsPort::AsSet);
    QVERIFY(!broken);
    QVERIFY(broken.error().message.contains(QLatin1String("/nonexistent/token")));
}

/// Promise: where there is to be no port for operators, the window alone sees its relay.
void TestWindow::opsPortMayBeTheWindowsAlone()
{
    Settings settings;
    settings.hub.port = 0;
    settings.hub.workers = 1;
    settings.metrics.enabled = false;
    const auto relay = EmbeddedRelay::start(settings, EmbeddedRelay::OpsPort::AsSet);
    QVERIFY(relay.hasValue());
    Endpoint endpoint = relay.value()->endpoint();
    RemoteRelay watcher(endpoint);
    watcher.start();
    QVERIFY(waitFor([&] { return watcher.link().link == Link::Live; }));
    std::optional<Overview> overview;
    watcher.fetchOverview(this, [&](const Result<Overview> &answer) {
        overview = answer ? answer.value() : Overview();
    });
    QVERIFY(waitFor([&] { return overview.has_value(); }));
    QVERIFY(overview->config && overview->config->contains(QLatin1String("enabled: false")));
    endpoint.token.clear();
    RemoteRelay stranger(endpoint);
    std::optional<Result<RelaySource::Receipt>> published;
    stranger.publish(QStringLiteral("chat"), "hello", true, this,
                     [&](const auto &receipt) { published = receipt; });
    QVERIFY(waitFor([&] { return published.has_value(); }));
    QVERIFY(!published->hasValue());
}

/// Promise: what is not used needs not be right.
void TestWindow::privateOpsPortNeedsNoToken()
{
    Settings settings;
    settings.hub.port = 0;
    settings.hub.workers = 1;
    settings.ops.tokenFile = QStringLiteral("/nonexistent/token");
    QVERIFY(EmbeddedRelay::start(settings, EmbeddedRelay::OpsPort::Private).hasValue());
}

/// Promise: closing the window, or ending the program by a signal, does not reset the relay's clients: they get a close
/// frame with 1001.
void TestWindow::endOfTheRelayIsToldToItsClients()
{
    Settings settings;
    settings.hub.port = 0;
    settings.hub.workers = 1;
    auto relay = EmbeddedRelay::start(settings, EmbeddedRelay::OpsPort::Private);
    QVERIFY(relay.hasValue());
    std::shared_ptr<EmbeddedRelay> embedded = std::move(relay).value();
    QTcpSocket client;
    client.connectToHost(embedded->clientUrl().host(), quint16(embedded->clientUrl().port()));
    client.write(
        "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    QByteArray received;
    const auto receives = [&](const QByteArray &bytes) {
        received += client.readAll();
        return received.contains(bytes);
    };
    QVERIFY(waitFor([&] { return receives("\r\n\r\n"); }));
    embedded.reset();
    QVERIFY(waitFor([&] { return receives("\x03\xE9"); })); // the code in the close frame
}

RELAY_TEST_IN(relay::test::WidgetApplication, TestWindow)
#include "tst_window.moc"
