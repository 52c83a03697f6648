#include "gui/pages/stat_card.h"

#include <QHBoxLayout>
#include <QVBoxLayout>

namespace relay::gui {

StatCard::StatCard(const QString &title, PlotWidget *plot, QWidget *parent)
    : Card(parent)
    , m_value(makeLabel(QStringLiteral("–"), 2.2, true))
    , m_detail(makeQuietLabel({}))
    , m_plot(plot)
{
    m_detail->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    m_value->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_plot->setAccessibleName(title);
    auto *top = new QHBoxLayout;
    top->addWidget(makeQuietLabel(title));
    top->addStretch();
    top->addWidget(m_detail);
    auto *column = new QVBoxLayout(this);
    column->setSpacing(column->spacing() / 3);
    column->addLayout(top);
    column->addWidget(m_value);
    column->addWidget(m_plot, 1);
}

void StatCard::setValue(const QString &value, const QString &detail)
{
    m_value->setText(value);
    m_detail->setText(detail);
}

} // namespace relay::gui
