#include "gui/pages/overview_page.h"

#include "gui/look/card.h"
#include "gui/look/quantity_text.h"
#include "gui/pages/address_line.h"
#include "gui/pages/health_line.h"
#include "gui/pages/stat_card.h"
#include "gui/pages/worker_shares.h"

#include <QBoxLayout>
#include <QGridLayout>
#include <QVBoxLayout>

namespace relay::gui {

namespace {

constexpr std::chrono::seconds kSampleInterval{1}; ///< the relay's, too
constexpr int kDetailColumns = 2;
/// The axes of plots without values end here.
constexpr double kEmptyCount = 4;
constexpr double kEmptyLatency = 0.001; // seconds
/// In a narrower page the details' cards stand one above the other.
constexpr int kNarrowCharacters = 130;

StatCard *makeStat(const QString &title,
                   const QList<PlotWidget::SeriesStyle> &series,
                   const PlotWidget::ValueText &valueText,
                   PlotWidget::Scale scale)
{
    return new StatCard(title, new PlotWidget(series, valueText, scale));
}

double now()
{
    return static_cast<double>(QDateTime::currentMSecsSinceEpoch()) / 1000.0;
}

} // namespace

OverviewPage::OverviewPage(RelaySource &source, QWidget *parent)
    : QScrollArea(parent)
    , m_source(source)
    , m_health(new HealthLine)
    , m_address(new AddressLine)
{
    auto *content = new QWidget;
    auto *column = new QVBoxLayout(content);
    column->addWidget(m_health);
    column->addWidget(m_address);
    column->addWidget(makeNumbers(), 1);
    column->addWidget(makeDetails());
    setWidget(content);
    setWidgetResizable(true);
    setFrameShape(QFrame::NoFrame);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);

    connect(&source, &RelaySource::overviewChanged, this, &OverviewPage::showOverview);
    connect(&source, &RelaySource::linkChanged, this, &OverviewPage::showLink);
    connect(m_health, &HealthLine::retryWanted, &source, &RelaySource::retryNow);
    connect(&m_withoutRelay, &QTimer::timeout, this, &OverviewPage::showNothing);
    showLink(source.link());
}

QWidget *OverviewPage::makeNumbers()
{
    const auto latency = [](double seconds) { return latencyText(seconds); };
    const auto rate = [](double perSecond) { return rateText(perSecond); };
    m_clients = makeStat(tr("Clients"),
                         {{tr("all"), Meaning::First}, {tr("by EventSource"), Meaning::Second}},
                         compactText, {1, kEmptyCount});
    m_messages =
        makeStat(tr("Messages"), {{tr("published"), Meaning::First}}, rate, {1, kEmptyCount});
    m_deliveries = makeStat(tr("Deliveries"),
                            {{tr("delivered"), Meaning::First}, {tr("dropped"), Meaning::Bad}},
                            rate, {1, kEmptyCount});
    m_latency = makeStat(tr("Publish to write, p99"),
                         {{tr("p99"), Meaning::First}, {tr("p50"), Meaning::Second}}, latency,
                         {0, kEmptyLatency});
    auto *numbers = new QWidget;
    auto *grid = new QGridLayout(numbers);
    grid->setContentsMargins(0, 0, 0, 0);
    grid->addWidget(m_clients, 0, 0);
    grid->addWidget(m_messages, 0, 1);
    grid->addWidget(m_deliveries, 1, 0);
    grid->addWidget(m_latency, 1, 1);
    // Equal, whatever their texts are.
    for (const int i : {0, 1}) {
        grid->setColumnStretch(i, 1);
        grid->setRowStretch(i, 1);
    }
    return numbers;
}

QWidget *OverviewPage::makeDetails()
{
    auto *facts = new Card;
    auto *grid = new QGridLayout(facts);
    m_details.received = addDetail(*grid, tr("Received"));
    m_details.sent = addDetail(*grid, tr("Sent"));
    m_details.channels = addDetail(*grid, tr("Channels"));
    m_details.history = addDetail(*grid, tr("Histories"));
    m_details.memory = addDetail(*grid, tr("Memory"));
    m_details.cpu = addDetail(*grid, tr("Processor"));
    m_details.dropped = addDetail(*grid, tr("Dropped since the start"));
    m_details.slow = addDetail(*grid, tr("Closed as too slow"));
    grid->setHorizontalSpacing(fontMetrics().averageCharWidth() * 2);
    for (int i = 0; i < kDetailColumns; ++i) {
        grid->setColumnStretch(2 * i + 1, 1);
    }
    grid->setRowStretch(grid->rowCount(), 1);

    auto *workers = new Card;
    auto *column = new QVBoxLayout(workers);
    m_workers = new WorkerShares;
    column->addWidget(m_workers);
    column->addStretch();

    auto *both = new QWidget;
    m_detailCards = new QBoxLayout(QBoxLayout::LeftToRight, both);
    m_detailCards->setContentsMargins(0, 0, 0, 0);
    m_detailCards->addWidget(facts, 1);
    m_detailCards->addWidget(workers, 1);
    return both;
}

void OverviewPage::resizeEvent(QResizeEvent *event)
{
    const bool isNarrow = width() < fontMetrics().averageCharWidth() * kNarrowCharacters;
    m_detailCards->setDirection(isNarrow ? QBoxLayout::TopToBottom : QBoxLayout::LeftToRight);
    QScrollArea::resizeEvent(event);
}

QLabel *OverviewPage::addDetail(QGridLayout &grid, const QString &name)
{
    const int row = m_detailCount / kDetailColumns;
    const int column = 2 * (m_detailCount % kDetailColumns);
    ++m_detailCount;
    grid.addWidget(makeQuietLabel(name), row, column);
    QLabel *value = makeLabel(QStringLiteral("–"));
    grid.addWidget(value, row, column + 1);
    return value;
}

void OverviewPage::showOverview(const Overview &overview)
{
    m_health->setOverview(overview);
    m_address->setAddress(m_source.channelUrl(QStringLiteral("/")), overview.clients);
    const double time = now();
    m_clients->setValue(countText(overview.clients),
                        overview.eventStreams > 0
                            ? tr("%1 by EventSource").arg(countText(overview.eventStreams))
                            : QString());
    m_clients->plot().append(time, {overview.clients, overview.eventStreams});
    m_messages->setValue(
        rateText(overview.messagesPerSecond),
        tr("%1 since the start").arg(compactText(static_cast<double>(overview.messages))));
    m_messages->plot().append(time, {overview.messagesPerSecond});
    m_deliveries->setValue(
        rateText(overview.deliveriesPerSecond),
        tr("%1 since the start").arg(compactText(static_cast<double>(overview.deliveries))));
    m_deliveries->plot().append(time, {overview.deliveriesPerSecond, overview.droppedPerSecond});
    m_latency->setValue(latencyText(overview.latencyP99),
                        overview.latencyP50 ? tr("p50 %1").arg(latencyText(overview.latencyP50))
                                            : tr("no messages"));
    m_latency->plot().append(time, {overview.latencyP99, overview.latencyP50});
    showDetails(overview);
}

void OverviewPage::showDetails(const Overview &overview)
{
    m_details.received->setText(byteRateText(overview.receivedBytesPerSecond));
    m_details.sent->setText(byteRateText(overview.sentBytesPerSecond));
    m_details.channels->setText(countText(overview.channels));
    m_details.history->setText(bytesText(static_cast<double>(overview.historyBytes)));
    m_details.memory->setText(overview.residentBytes
                                  ? bytesText(static_cast<double>(*overview.residentBytes))
                                  : QStringLiteral("–"));
    m_details.cpu->setText(coresText(overview.cpuCores));
    m_details.dropped->setText(countText(overview.dropped));
    m_details.slow->setText(countText(overview.slowDisconnects));
    m_workers->setShares(overview.workers);
}

void OverviewPage::showLink(const LinkState &link)
{
    m_health->setLink(link);
    if (link.link == LinkState::Link::Live) {
        m_withoutRelay.stop();
    } else if (!m_withoutRelay.isActive()) {
        m_withoutRelay.start(kSampleInterval);
        showNothing();
    }
}

void OverviewPage::showNothing()
{
    const QString nothing = QStringLiteral("–");
    for (StatCard *card : {m_clients, m_messages, m_deliveries, m_latency}) {
        card->setValue(nothing, {});
        card->plot().appendNothing(now());
    }
    for (QLabel *label : {m_details.received, m_details.sent, m_details.channels, m_details.history,
                          m_details.memory, m_details.cpu, m_details.dropped, m_details.slow})
    {
        label->setText(nothing);
    }
    m_workers->setShares({});
}

} // namespace relay::gui
