#include "gui/pages/health_line.h"

#include "gui/look/card.h"
#include "gui/look/quantity_text.h"

#include <QCoreApplication>
#include <QEvent>
#include <QHBoxLayout>

namespace relay::gui {

namespace {

struct HealthWords
{
    Q_DECLARE_TR_FUNCTIONS(HealthLine)
};

QString clock(const QDateTime &time)
{
    return timeText(static_cast<double>(time.toMSecsSinceEpoch()) / 1000.0);
}

Health goneHealth(const LinkState &link, const QDateTime &now)
{
    Health health{Meaning::Bad, HealthWords::tr("Gone"), {}};
    health.detail =
        HealthWords::tr("since %1 (%2): %3")
            .arg(clock(link.since), durationText(static_cast<double>(link.since.secsTo(now))),
                 link.problem);
    if (link.retryAt.isValid()) {
        const qint64 wait = std::max<qint64>(0, now.msecsTo(link.retryAt));
        health.detail += HealthWords::tr(" — reconnecting in %1 s").arg((wait + 999) / 1000);
    } else {
        health.detail += HealthWords::tr(" — reconnecting …");
    }
    return health;
}

Health liveHealth(const Overview &overview)
{
    const QString up = durationText(overview.uptimeSeconds);
    if (overview.state == QLatin1String("serving")) {
        return {Meaning::Good, HealthWords::tr("Serving"),
                HealthWords::tr("since %1 (%2)").arg(timeText(overview.startedAt), up)};
    }
    if (overview.state == QLatin1String("draining")) {
        return {Meaning::Warning, HealthWords::tr("Draining"),
                HealthWords::tr("no new clients are accepted; still connected: %1")
                    .arg(countText(overview.clients))};
    }
    return {Meaning::Warning, HealthWords::tr("Stopping"), HealthWords::tr("up for %1").arg(up)};
}

} // namespace

Health
healthOf(const LinkState &link, const std::optional<Overview> &overview, const QDateTime &now)
{
    switch (link.link) {
    case LinkState::Link::Connecting:
        return {Meaning::Quiet, HealthWords::tr("Connecting"),
                HealthWords::tr("waiting for the relay's first answer")};
    case LinkState::Link::Gone:
        return goneHealth(link, now);
    case LinkState::Link::Live:
        break;
    }
    return overview ? liveHealth(*overview)
                    : Health{Meaning::Good, HealthWords::tr("Connected"), {}};
}

HealthLine::HealthLine(QWidget *parent)
    : QWidget(parent)
    , m_dot(makeLabel(QStringLiteral("●"), 1.4))
    , m_headline(makeLabel({}, 1.25, true))
    , m_detail(makeQuietLabel({}))
    , m_retry(new QPushButton(tr("Try &now")))
{
    m_detail->setWordWrap(true);
    auto *row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    row->addWidget(m_dot);
    row->addWidget(m_headline);
    row->addWidget(m_detail, 1);
    row->addWidget(m_retry);
    connect(m_retry, &QPushButton::clicked, this, &HealthLine::retryWanted);
    connect(&m_tick, &QTimer::timeout, this, &HealthLine::refresh);
    m_tick.start(std::chrono::milliseconds(500));
    refresh();
}

void HealthLine::setLink(const LinkState &link)
{
    m_link = link;
    refresh();
}

void HealthLine::setOverview(const Overview &overview)
{
    m_overview = overview;
    refresh();
}

QString HealthLine::text() const
{
    return m_headline->text() + QLatin1Char(' ') + m_detail->text();
}

void HealthLine::changeEvent(QEvent *event)
{
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange) {
        refresh();
    }
}

void HealthLine::refresh()
{
    const Health health = healthOf(m_link, m_overview, QDateTime::currentDateTime());
    m_headline->setText(health.headline);
    m_detail->setText(health.detail);
    QPalette colours = palette();
    colours.setColor(QPalette::WindowText, colourOf(health.meaning, palette()));
    m_dot->setPalette(colours);
    m_retry->setVisible(m_link.link == LinkState::Link::Gone && m_link.retryAt.isValid());
}

} // namespace relay::gui
