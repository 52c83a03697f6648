#include "gui/pages/worker_shares.h"

#include "gui/look/card.h"
#include "gui/look/quantity_text.h"
#include "gui/look/theme.h"

#include <QGridLayout>
#include <QPainter>

#include <algorithm>

namespace relay::gui {

/// A part of a whole, from 0 to 1.
class ShareBar : public QWidget
{
public:
    ShareBar() { setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed); }

    void setShare(double share)
    {
        m_share = std::clamp(share, 0.0, 1.0);
        update();
    }
    [[nodiscard]] QSize sizeHint() const override
    {
        return {fontMetrics().averageCharWidth() * 12, fontMetrics().height() / 2};
    }
    [[nodiscard]] QSize minimumSizeHint() const override
    {
        return {fontMetrics().averageCharWidth() * 4, fontMetrics().height() / 2};
    }

protected:
    void paintEvent(QPaintEvent * /*event*/) override
    {
        QPainter painter(this);
        painter.setRenderHint(QPainter::Antialiasing);
        painter.setPen(Qt::NoPen);
        QRectF bar = rect();
        const qreal radius = bar.height() / 2;
        painter.setBrush(palette().color(QPalette::Mid));
        painter.drawRoundedRect(bar, radius, radius);
        if (m_share > 0) {
            bar.setWidth(std::max(bar.height(), bar.width() * m_share));
            painter.setBrush(colourOf(Meaning::First, palette()));
            painter.drawRoundedRect(bar, radius, radius);
        }
    }

private:
    double m_share = 0;
};

namespace {

enum Column {
    Name,
    Bar,
    Clients,
    Deliveries,
    Cpu
};

QLabel *numberLabel(QGridLayout &grid, int row, int column)
{
    QLabel *label = makeLabel({});
    label->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    grid.addWidget(label, row, column);
    return label;
}

} // namespace

WorkerShares::WorkerShares(QWidget *parent)
    : QWidget(parent)
    , m_grid(new QGridLayout(this))
{
    m_grid->setContentsMargins(0, 0, 0, 0);
    m_grid->setHorizontalSpacing(fontMetrics().averageCharWidth() * 2);
    m_grid->setColumnStretch(Bar, 1);
    const auto addHeading = [this](Column column, const QString &text) {
        QLabel *label = makeQuietLabel(text);
        label->setAlignment(column == Name ? Qt::AlignLeft : Qt::AlignRight);
        m_grid->addWidget(label, 0, column);
    };
    addHeading(Name, tr("Worker"));
    addHeading(Clients, tr("Clients"));
    addHeading(Deliveries, tr("Deliveries"));
    addHeading(Cpu, tr("Processor"));
}

void WorkerShares::addRow()
{
    const int row = static_cast<int>(m_rows.size()) + 1;
    m_grid->addWidget(makeLabel(QString::number(row)), row, Name);
    auto *bar = new ShareBar; // the layout gives it to this widget
    m_grid->addWidget(bar, row, Bar, Qt::AlignVCenter);
    m_rows.append({bar, numberLabel(*m_grid, row, Clients), numberLabel(*m_grid, row, Deliveries),
                   numberLabel(*m_grid, row, Cpu)});
}

void WorkerShares::clearRow(const Row &row)
{
    row.bar->setShare(0);
    for (QLabel *label : {row.clients, row.deliveries, row.cpu}) {
        label->setText(QStringLiteral("–"));
    }
}

void WorkerShares::setShares(const QList<WorkerShare> &all)
{
    const QList<WorkerShare> shares = all.first(std::min(all.size(), kMostWorkers));
    while (m_rows.size() < shares.size()) {
        addRow();
    }
    for (qsizetype i = shares.size(); i < m_rows.size(); ++i) {
        clearRow(m_rows[i]);
    }
    double allDeliveries = 0;
    double allClients = 0;
    for (const WorkerShare &share : shares) {
        allDeliveries += share.deliveriesPerSecond;
        allClients += share.clients;
    }
    for (qsizetype i = 0; i < shares.size(); ++i) {
        const WorkerShare &share = shares[i];
        const Row &row = m_rows[i];
        const double part = allDeliveries > 0 ? share.deliveriesPerSecond / allDeliveries
                            : allClients > 0  ? share.clients / allClients
                                              : 0;
        row.bar->setShare(part);
        row.clients->setText(countText(share.clients));
        row.deliveries->setText(rateText(share.deliveriesPerSecond));
        row.cpu->setText(coresText(share.cpuCores));
    }
}

} // namespace relay::gui
