#include "fake_source.h"
#include "gui/main_window.h"
#include "gui/pages/channels_page.h"
#include "gui/pages/clients_page.h"
#include "gui/pages/events_page.h"
#include "gui/pages/health_line.h"
#include "gui/pages/message_pane.h"
#include "gui/pages/overview_page.h"
#include "gui/pages/stat_card.h"
#include "gui/relay/embedded_relay.h"
#include "gui/relay_view.h"
#include "gui/tables/channel_table_model.h"
#include "gui/tables/event_log_model.h"
#include "gui/tables/message_log_model.h"
#include "gui/tables/table_pane.h"
#include "scratch_settings.h"
#include "support/test_main.h"
#include "support/wait_for.h"
#include "widget_application.h"

#include <QLabel>
#include <QLineEdit>
#include <QMessageBox>
#include <QPushButton>
#include <QSettings>
#include <QTableView>
#include <QTest>
#include <QTextDocument>

#include <algorithm>

using namespace relay;
using namespace relay::gui;
using relay::test::waitFor;
using Link = LinkState::Link;

/// The pages, over a relay that the test speaks for; and once over one in this process.
class TestPages : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void healthSaysWhatIs_data();
    void healthSaysWhatIs();
    void overviewShowsNumbersAndForgetsThemWhenTheRelayIsGone();
    void eventsAreFilteredAndCopied();
    void eventLogIsBounded();
    void messageLogIsBoundedAndPauses();
    void publishGoesToTheChosenChannel();
    void whatStrangersWriteIsNoMarkup();
    void windowWatchesARelayInThisProcess();
    void theWindowsOwnConnectionIsToldApart();
    void aChannelsClientsAreThoseBesideThisWindow();

private:
    const ScratchSettings m_settings;
};

void TestPages::healthSaysWhatIs_data()
{
    QTest::addColumn<int>("link");
    QTest::addColumn<QString>("state");
    QTest::addColumn<QString>("headline");
    QTest::addColumn<QString>("detail");
    const auto row = [](const char *name, Link link, const char *state, const char *headline,
                        const char *detail) {
        QTest::newRow(name) << static_cast<int>(link) << QString::fromLatin1(state)
                            << QString::fromLatin1(headline) << QString::fromUtf8(detail);
    };
    row("first", Link::Connecting, "", "Connecting", "first answer");
    row("serving", Link::Live, "serving", "Serving", "1 min 1 s");
    row("draining", Link::Live, "draining", "Draining", "7");
    row("stopping", Link::Live, "stopping", "Stopping", "1 min 1 s");
    row("gone", Link::Gone, "serving", "Gone", "(5 s): refused — reconnecting in 3 s");
}

/// Promise: one line says whether the relay is well, and if not since when and what comes next.
void TestPages::healthSaysWhatIs()
{
    QFETCH(int, link);
    QFETCH(QString, state);
    QFETCH(QString, headline);
    QFETCH(QString, detail);
    const QDateTime now = QDateTime::currentDateTime();
    const LinkState linkState{static_cast<Link>(link), now.addSecs(-5), now.addMSecs(2500),
                              QStringLiteral("refused")};
    Overview overview;
    overview.state = state;
    overview.clients = 7;
    overview.uptimeSeconds = 61;
    const Health health = healthOf(linkState, overview, now);
    QCOMPARE(health.headline, headline);
    QVERIFY2(health.detail.contains(detail), qPrintable(health.detail));
}

/// Promise: numbers of a relay that is not there are not shown as if it were.
void TestPages::overviewShowsNumbersAndForgetsThemWhenTheRelayIsGone()
{
    FakeSource source;
    OverviewPage overviewPage(source);
    Overview overview;
    overview.state = QStringLiteral("serving");
    overview.clients = 12'345;
    overview.latencyP99 = 0.00123;
    overview.messagesPerSecond = 1;
    overview.deliveriesPerSecond = 1;
    overview.cpuCores = 0.5;
    overview.workers = {WorkerShare(), WorkerShare(), WorkerShare()};
    Q_EMIT source.linkChanged({Link::Live, QDateTime::currentDateTime(), {}, {}});
    Q_EMIT source.overviewChanged(overview);
    QStringList values;
    for (const StatCard *card : overviewPage.findChildren<StatCard *>()) {
        values.append(card->value());
    }
    QVERIFY(values.contains(QLocale().toString(12'345)));
    QVERIFY2(values.filter(QStringLiteral("ms")).size() == 1, qPrintable(values.join(u'|')));
    for (StatCard *card : overviewPage.findChildren<StatCard *>()) {
        QVERIFY(card->plot().series(0).samples().back().value.has_value());
    }
    Q_EMIT source.linkChanged({Link::Gone, QDateTime::currentDateTime(), {}, QStringLiteral("x")});
    for (StatCard *card : overviewPage.findChildren<StatCard *>()) {
        QCOMPARE(card->value(), QStringLiteral("–"));
        QCOMPARE(card->plot().series(0).samples().back().value, std::nullopt);
    }
    for (const QLabel *label : overviewPage.findChildren<QLabel *>()) {
        QVERIFY2(!label->text().contains(QLatin1String("cores")), qPrintable(label->text()));
    }
}

/// Promise: what is copied or saved is what is seen.
void TestPages::eventsAreFilteredAndCopied()
{
    FakeSource source;
    EventsPage events(source);
    RelayEvent connected;
    connected.type = QStringLiteral("connect");
    connected.client = 7;
    connected.address = QStringLiteral("10.0.0.1");
    connected.channel = QStringLiteral("chat");
    RelayEvent slow;
    slow.type = QStringLiteral("slow");
    slow.client = 8;
    slow.closeCode = 1008;
    slow.address = QStringLiteral("10.0.0.2");
    slow.channel = QStringLiteral("chat\n/42");
    slow.reason = QStringLiteral("slow consumer");
    Q_EMIT source.eventHappened(connected);
    Q_EMIT source.eventHappened(slow);
    Q_EMIT source.linkChanged(
        {Link::Gone, QDateTime::currentDateTime(), {}, QStringLiteral("off")});
    QCOMPARE(events.shownText().count(QLatin1Char('\n')), 3);
    QVERIFY(events.shownText().contains(QLatin1String("\tconnect\t7\t10.0.0.1\tchat\t")));
    QVERIFY(events.shownText().contains(QLatin1String("gone")));
    events.filter().setText(QStringLiteral("SLOW"));
    QCOMPARE(events.shownText().count(QLatin1Char('\n')), 1);
    QVERIFY(events.shownText().contains(
        QLatin1String("\tslow\t8\t10.0.0.2\tchat\\x0a/42\tclosed with 1008: slow")));
    QVERIFY(events.selectedText().isEmpty());
    events.view().selectRow(0);
    QCOMPARE(events.selectedText(), events.shownText());
}

/// Promise: a storm of events over days does not take all memory.
void TestPages::eventLogIsBounded()
{
    EventLogModel model;
    RelayEvent event;
    event.type = QStringLiteral("connect");
    for (int i = 0; i < EventLogModel::kMaxEvents; ++i) {
        event.client = i;
        model.append(event);
    }
    QCOMPARE(model.rowCount(), EventLogModel::kMaxEvents);
    model.append(event);
    QCOMPARE(model.rowCount(), EventLogModel::kMaxEvents - EventLogModel::kDropAtOnce + 1);
    QCOMPARE(model.index(0, EventLogModel::Client).data().toInt(), EventLogModel::kDropAtOnce);
}

/// Promise: a busy channel does not take all memory, neither while it is paused; what waits is shown
/// afterwards.
void TestPages::messageLogIsBoundedAndPauses()
{
    MessageLogModel model;
    const auto message = [](qint64 offset, qsizetype size) {
        return ChannelMessage{ChannelMessage::Kind::Text, offset, 1, QByteArray(size, 'a')};
    };
    const auto most = static_cast<int>(MessageLogModel::kMaxMessages);
    for (int i = 1; i <= most + 1; ++i) {
        model.append(message(i, 1));
    }
    QCOMPARE(model.rowCount(), most);
    QCOMPARE(model.message(0).offset, 2);
    model.setPaused(true);
    for (int i = 0; i <= most; ++i) {
        model.append(message(1000 + i, 1));
    }
    QCOMPARE(model.waiting(), most);
    QCOMPARE(model.message(0).offset, 2);
    model.setPaused(false);
    QCOMPARE(model.rowCount(), most);
    QCOMPARE(model.message(0).offset, 1001);
    QCOMPARE(model.waiting(), 0);
    model.append(message(5000, MessageLogModel::kMaxBytes));
    QCOMPARE(model.rowCount(), 1);
}

/// Promise: a text goes where the page says that it goes.
void TestPages::publishGoesToTheChosenChannel()
{
    FakeSource source;
    source.channels = {ChannelRow(), ChannelRow()};
    source.channels[0].name = QStringLiteral("a");
    source.channels[1].name = QStringLiteral("b");
    ChannelsPage channelsPage(source);
    channelsPage.show();
    QTableView &view = channelsPage.table().view();
    QVERIFY(waitFor([&] { return view.model()->rowCount() == 2; }));
    auto *text = channelsPage.findChild<QLineEdit *>(QStringLiteral("publish"));
    QVERIFY(text != nullptr);
    text->setText(QStringLiteral("hello"));
    QTest::keyClick(text, Qt::Key_Return);
    QVERIFY(source.asked.isEmpty()); // none is chosen
    view.setCurrentIndex(view.model()->index(1, 0));
    QCOMPARE(channelsPage.selectedChannel(), QStringLiteral("b"));
    QTest::keyClick(text, Qt::Key_Return);
    QCOMPARE(source.asked, QStringList{QStringLiteral("publish b hello")});
    QVERIFY(text->text().isEmpty());
}

/// Promise: a client that calls itself "<img src=…>" is shown so; the window loads and lays out nothing
/// for it.
void TestPages::whatStrangersWriteIsNoMarkup()
{
    const QString markup = QStringLiteral("<b>x</b><img src='file:///etc/hostname'>");
    FakeSource source(1);
    source.clients[0].userAgent = markup;
    source.clients[0].channel = markup;
    ClientsPage page(source);
    page.show();
    QVERIFY(waitFor([&] { return page.table().view().model()->rowCount() == 1; }));
    QTableView &view = page.table().view();
    QTest::mouseClick(view.viewport(), Qt::LeftButton, {},
                      view.visualRect(view.model()->index(0, 1)).center());
    QVERIFY(page.selectedClient());
    page.findChild<QPushButton *>()->click();
    QVERIFY(page.findChild<QMessageBox *>() != nullptr);
    QCOMPARE(page.findChild<QMessageBox *>()->textFormat(), Qt::PlainText);
    int shown = 0;
    for (const QLabel *label : page.findChildren<QLabel *>()) {
        if (label->text().contains(markup)) {
            QCOMPARE(label->textFormat(), Qt::PlainText);
            ++shown;
        }
    }
    QCOMPARE(shown, 3); // channel, user agent, question

    const QVariant tip = view.model()->index(0, 2).data(Qt::ToolTipRole);
    QTextDocument document;
    document.setHtml(tip.toString());
    QVERIFY(Qt::mightBeRichText(tip.toString()));
    QCOMPARE(document.toPlainText(), markup);
}

/// Promise: the window shows a relay in its own process as it shows any other, live messages
/// included.
void TestPages::windowWatchesARelayInThisProcess()
{
    Settings settings;
    settings.hub.port = 0;
    settings.hub.workers = 1;
    auto relay = EmbeddedRelay::start(settings, EmbeddedRelay::OpsPort::Private);
    QVERIFY(relay.hasValue());
    const Endpoint endpoint = relay.value()->endpoint();
    auto source = std::make_unique<EmbeddedRelaySource>(std::move(relay).value());
    RelaySource &watched = *source;
    MainWindow window;
    window.watch(std::move(source));
    window.show();
    QVERIFY(waitFor([&] { return watched.link().link == Link::Live; }));
    bool isPublished = false;
    watched.publish(QStringLiteral("chat"), "hello", true, this,
                    [&](const Result<RelaySource::Receipt> &) { isPublished = true; });
    QVERIFY(waitFor([&] { return isPublished; }));

    window.view()->showPage(2);
    auto *channelsPage = window.findChild<ChannelsPage *>();
    QTableView &view = channelsPage->table().view();
    QVERIFY(waitFor([&] { return view.model()->rowCount() > 0; }));
    view.setCurrentIndex(view.model()->index(0, 0));
    MessageLogModel &messages = channelsPage->messages().messages();
    QVERIFY(waitFor([&] { return messages.rowCount() == 1; })); // of its history
    watched.publish(QStringLiteral("chat"), "live", true, this,
                    [](const Result<RelaySource::Receipt> &) {});
    QVERIFY(waitFor([&] { return messages.rowCount() == 2; }));
    QCOMPARE(messages.message(1).payload, QByteArray("live"));
    QCOMPARE(messages.message(1).offset, 2);

    // It ends with its view, and its port is closed.
    window.showStart();
    QVERIFY(window.view() == nullptr);
    RemoteRelay stranger(endpoint);
    stranger.start();
    QVERIFY(waitFor([&] { return stranger.link().link == Link::Gone; }));
}

/// Promise: the window watches without being taken for one of the clients: it is not counted, its row and its events
/// are marked.
void TestPages::theWindowsOwnConnectionIsToldApart()
{
    Settings settings;
    settings.hub.port = 0;
    settings.hub.workers = 1;
    auto relay = EmbeddedRelay::start(settings, EmbeddedRelay::OpsPort::Private);
    QVERIFY(relay.hasValue());
    auto source = std::make_unique<EmbeddedRelaySource>(std::move(relay).value());
    RelaySource &watched = *source;
    MainWindow window;
    window.watch(std::move(source));
    window.show();
    QList<int> counts;
    connect(&watched, &RelaySource::overviewChanged, this,
            [&](const Overview &overview) { counts.append(overview.clients); });
    bool isPublished = false;
    watched.publish(QStringLiteral("chat"), "hello", true, this,
                    [&](const Result<RelaySource::Receipt> &) { isPublished = true; });
    QVERIFY(waitFor([&] { return isPublished; }));

    window.view()->showPage(2);
    auto *channelsPage = window.findChild<ChannelsPage *>();
    QTableView &view = channelsPage->table().view();
    QVERIFY(waitFor([&] { return view.model()->rowCount() == 1; }));
    view.setCurrentIndex(view.model()->index(0, 0));
    QVERIFY(waitFor([&] { return channelsPage->messages().isListening(); }));
    const auto *events = window.findChild<EventsPage *>();
    QVERIFY(waitFor([&] { return events->shownText().contains(QLatin1String("this window")); }));
    counts.clear();
    QVERIFY(waitFor([&] { return !counts.isEmpty(); }));
    QCOMPARE(counts.first(), 0);

    auto *text = channelsPage->findChild<QLineEdit *>(QStringLiteral("publish"));
    text->setText(QStringLiteral("is anybody there?"));
    QTest::keyClick(text, Qt::Key_Return);
    QVERIFY(waitFor([&] {
        const auto labels = channelsPage->findChildren<QLabel *>();
        return std::any_of(labels.begin(), labels.end(), [](const QLabel *label) {
            return label->text() == QLatin1String("Published as #2 to 0 clients.");
        });
    }));

    // It leaves with the page. Its row is seen only by another window; the verdict is tst_client_verdict's.
    window.view()->showPage(3);
    QVERIFY(waitFor([&] {
        const QStringList lines = events->shownText().split(QLatin1Char('\n'));
        return std::any_of(lines.begin(), lines.end(), [](const QString &line) {
            return line.contains(QLatin1String("\tdisconnect\t"))
                   && line.contains(QLatin1String("\tthis window"));
        });
    }));
    QVERIFY(waitFor([&] { return watched.ownClients() == 0; }));
}

/// Promise: a channel's clients are counted without the window that looks at it; the other channels' as they are.
void TestPages::aChannelsClientsAreThoseBesideThisWindow()
{
    ChannelTableModel model;
    Page<ChannelRow> page{
        .total = 3, .offset = 0, .rows = {ChannelRow(), ChannelRow(), ChannelRow()}};
    page.rows[0].name = QStringLiteral("a");
    page.rows[0].clients = 5;
    page.rows[1].name = QStringLiteral("b");
    page.rows[1].clients = 5;
    const auto clients = [&](int row) { return model.index(row, 1).data().toString(); };
    model.setPage(page, QStringLiteral("b"));
    QCOMPARE(clients(0), QStringLiteral("5"));
    QCOMPARE(clients(1), QStringLiteral("4"));
    model.setPage(page);
    QCOMPARE(clients(1), QStringLiteral("5"));
    page.rows[1].clients = 0; // the window has just joined
    model.setPage(page, QStringLiteral("b"));
    QCOMPARE(clients(1), QStringLiteral("0"));
}

RELAY_TEST_IN(relay::test::WidgetApplication, TestPages)
#include "tst_pages.moc"
