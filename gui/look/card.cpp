#include "gui/look/card.h"

#include <QPainter>

namespace relay::gui {

Card::Card(QWidget *parent)
    : QWidget(parent)
{}

void Card::paintEvent(QPaintEvent * /*event*/)
{
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(palette().color(QPalette::Mid), 1));
    painter.setBrush(palette().color(QPalette::Base));
    const qreal radius = fontMetrics().height() / 2.5;
    painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), radius, radius);
}

QLabel *makeLabel(const QString &text, double size, bool isBold)
{
    auto *label = new QLabel;
    label->setTextFormat(Qt::PlainText);
    label->setText(text);
    QFont font = label->font();
    font.setPointSizeF(font.pointSizeF() * size);
    font.setBold(isBold);
    label->setFont(font);
    return label;
}

QLabel *makeQuietLabel(const QString &text, double size)
{
    QLabel *label = makeLabel(text, size);
    label->setForegroundRole(QPalette::PlaceholderText);
    return label;
}

QLabel *makeHeading(const QString &text)
{
    return makeLabel(text, 1, true);
}

} // namespace relay::gui
